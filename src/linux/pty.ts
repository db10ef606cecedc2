// pty(7), ioctl_tty(2), TIOCGPTPEER of devpts: pseudo-terminals by descriptor, never by the path of a slave (CVE-2025-52565).
import { check } from './errno.ts';
import { Fd } from './fd.ts';
import { libc } from './libc.ts';

export const TIOCSCTTY = 0x540e;
export const TIOCGWINSZ = 0x5413;
export const TIOCSWINSZ = 0x5414;
export const TIOCSPTLCK = 0x40045431;
export const TIOCGPTPEER = 0x5441;

export const O_RDWR = 0o2;
export const O_NOCTTY = 0o400;
const O_CLOEXEC = 0o2000000;
const SIZEOF_WINSIZE = 8;

type CIoctlPointer = (fd: number, request: number, argument: Buffer) => number;
const c_ioctl_pointer: CIoctlPointer = libc.func('int ioctl(int fd, unsigned long request, void *argument)');
type CIoctlNumber = (fd: number, request: number, argument: number) => number;
const c_ioctl_number: CIoctlNumber = libc.func('int ioctl(int fd, unsigned long request, long argument)');

/** Size of a terminal in characters. */
export type WindowSize = { readonly rows: number; readonly columns: number };

/** struct winsize. Throws RangeError when a number is not one of 16 bits. */
export function windowSizeBytes({ rows, columns }: WindowSize): Buffer {
  const winsize = Buffer.alloc(SIZEOF_WINSIZE);
  winsize.writeUInt16LE(rows, 0);
  winsize.writeUInt16LE(columns, 2);
  return winsize;
}

/** The size of a terminal. Throws SyscallError, ENOTTY when the descriptor is none. */
export function windowSize(fd: number): WindowSize {
  const winsize = Buffer.alloc(SIZEOF_WINSIZE);
  check(c_ioctl_pointer(fd, TIOCGWINSZ, winsize), 'ioctl', () => `${fd}, TIOCGWINSZ`);
  return { rows: winsize.readUInt16LE(0), columns: winsize.readUInt16LE(2) };
}

/** Resize a terminal, through either of its sides. Its foreground process group gets SIGWINCH when the size is another. */
export function setWindowSize(fd: number, size: WindowSize): void {
  const winsize = windowSizeBytes(size);
  check(c_ioctl_pointer(fd, TIOCSWINSZ, winsize), 'ioctl', () => `${fd}, TIOCSWINSZ, ${size.rows} × ${size.columns}`);
}

/** The slave of an unlocked master, whatever mount namespace its devpts is in. It becomes nobody's controlling terminal. */
export function openPeer(master: number): Fd {
  const flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
  return new Fd(check(c_ioctl_number(master, TIOCGPTPEER, flags), 'ioctl', () => `${master}, TIOCGPTPEER`));
}
