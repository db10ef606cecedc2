// mkfifo(3).
import { check } from './errno.ts';
import { libc } from './libc.ts';

type CMkfifo = (path: string, mode: number) => number;
const c_mkfifo: CMkfifo = libc.func('int mkfifo(const char *pathname, unsigned int mode)');

/** Make a FIFO. Throws SyscallError. */
export function mkfifo(path: string, mode: number): void {
  check(c_mkfifo(path, mode), 'mkfifo', () => path);
}
