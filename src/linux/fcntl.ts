// fcntl(2): a second descriptor, and descriptors that do not block.
import { check } from './errno.ts';
import { Fd } from './fd.ts';
import { libc } from './libc.ts';

const F_GETFL = 3;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const F_SETPIPE_SZ = 1031;
const O_NONBLOCK = 0o4000;

type CFcntl = (fd: number, command: number, argument: number) => number;
const c_fcntl: CFcntl = libc.func('int fcntl(int fd, int cmd, long argument)');

/** Another descriptor of the same open file, closed on exec. */
export function duplicate(fd: number): Fd {
  return new Fd(check(c_fcntl(fd, F_DUPFD_CLOEXEC, 0), 'fcntl', () => `${fd}, F_DUPFD_CLOEXEC`));
}

/** Make reads and writes answer EAGAIN instead of waiting, for everybody who has this open file. */
export function setNonBlocking(fd: number): void {
  const flags = check(c_fcntl(fd, F_GETFL, 0), 'fcntl', () => `${fd}, F_GETFL`);
  check(c_fcntl(fd, F_SETFL, flags | O_NONBLOCK), 'fcntl', () => `${fd}, F_SETFL, O_NONBLOCK`);
}

/** Make reads and writes wait, for everybody who has this open file. Throws SyscallError. */
export function setBlocking(fd: number): void {
  const flags = check(c_fcntl(fd, F_GETFL, 0), 'fcntl', () => `${fd}, F_GETFL`);
  check(c_fcntl(fd, F_SETFL, flags & ~O_NONBLOCK), 'fcntl', () => `${fd}, F_SETFL, 0`);
}

/** Change how many bytes a pipe holds: `bytes` rounded up to a page, and to a power of two. Throws SyscallError. */
export function setPipeSize(fd: number, bytes: number): void {
  check(c_fcntl(fd, F_SETPIPE_SZ, bytes), 'fcntl', () => `${fd}, F_SETPIPE_SZ, ${bytes}`);
}
