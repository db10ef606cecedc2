// getpagesize(2): 4 KiB on x86_64; 4, 16 or 64 KiB on arm64.
import { libc } from './libc.ts';

const c_getpagesize: () => number = libc.func('int getpagesize(void)');

/** Bytes of a memory page of this kernel. */
export function pageSize(): number {
  return c_getpagesize();
}
