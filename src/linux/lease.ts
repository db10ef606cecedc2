// fcntl(2), F_SETLEASE: a read lease is only granted on a file that nobody has open for writing.
import { koffi } from './koffi.ts';

import { libc } from './libc.ts';

const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_UNLCK = 2;
const SIGURG = 23;

type CFcntl = (fd: number, command: number, type: 'int', argument: number) => number;
const c_fcntl: CFcntl = libc.func('int fcntl(int fd, int op, ...)');

/**
 * Whether somebody has the file of the read-only descriptor `fd` open for writing right now. False as well where this
 * cannot be known: a file system without leases, or a file of another user and no CAP_LEASE.
 */
export function isOpenForWriting(fd: number): boolean {
  // A writer that comes while the lease is held is told of by SIGIO, which would end this process; SIGURG is ignored.
  if (c_fcntl(fd, F_SETSIG, 'int', SIGURG) === 0 && c_fcntl(fd, F_SETLEASE, 'int', F_RDLCK) === 0) {
    c_fcntl(fd, F_SETLEASE, 'int', F_UNLCK);
    return false;
  }
  return koffi.errno() === koffi.os.errno['EAGAIN'];
}
