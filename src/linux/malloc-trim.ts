// malloc_trim(3): give free memory of the C library's heaps back to the kernel.
import { libc } from './libc.ts';

const c_malloc_trim: (pad: number) => number = libc.func('int malloc_trim(size_t pad)');

/** For after a burst of work: glibc keeps what large buffers lay in, in one heap per thread, also of threads that ended. */
export function mallocTrim(): void {
  c_malloc_trim(0);
}
