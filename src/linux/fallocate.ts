// fallocate(2), lseek(2) with SEEK_DATA: files whose head has been given back to the disk.
import { check, isErrno } from './errno.ts';
import { libc } from './libc.ts';

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const SEEK_DATA = 3;

type CFallocate = (fd: number, mode: number, offset: number, length: number) => number;
const c_fallocate: CFallocate = libc.func('int fallocate(int fd, int mode, int64_t offset, int64_t len)');
type CLseek = (fd: number, offset: number, whence: number) => number | bigint;
const c_lseek: CLseek = libc.func('int64_t lseek(int fd, int64_t offset, int whence)');

/**
 * Give the disk space of `length` bytes from `offset` back; the file keeps its size, and reads zeros there. Throws SyscallError
 * (EOPNOTSUPP where the file system cannot).
 */
export function punchHole(fd: number, offset: number, length: number): void {
  const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  check(c_fallocate(fd, mode, offset, length), 'fallocate', () => `PUNCH_HOLE, ${offset}, ${length}`);
}

/** The offset of the first byte at or after `offset` that is not in a hole; undefined when there is none. Moves the file position. */
export function seekData(fd: number, offset: number): number | undefined {
  try {
    return check(Number(c_lseek(fd, offset, SEEK_DATA)), 'lseek', () => `SEEK_DATA, ${offset}`);
  } catch (error) {
    if (isErrno(error, 'ENXIO')) return undefined;
    throw error;
  }
}
