// termios(3): raw mode of the terminal that a person sits at.
import { check } from './errno.ts';
import { libc } from './libc.ts';

const TCSANOW = 0;
const TCSADRAIN = 1;
// Larger than struct termios of any libc: 60 bytes in glibc 2.36.
const OPAQUE_SIZE = 256;
// In the structure of glibc and of the kernel alike.
const LFLAG_OFFSET = 12;
const ICANON = 0o2;

type CTcgetattr = (fd: number, termios: Buffer) => number;
const c_tcgetattr: CTcgetattr = libc.func('int tcgetattr(int fd, void *termios_p)');
type CTcsetattr = (fd: number, actions: number, termios: Buffer) => number;
const c_tcsetattr: CTcsetattr = libc.func('int tcsetattr(int fd, int optional_actions, const void *termios_p)');
type CCfmakeraw = (termios: Buffer) => void;
const c_cfmakeraw: CCfmakeraw = libc.func('void cfmakeraw(void *termios_p)');

/** The settings of a terminal, to be given back to `setTerminalMode`. Throws SyscallError, ENOTTY when it is none. */
export function terminalMode(fd: number): Buffer {
  const termios = Buffer.alloc(OPAQUE_SIZE);
  check(c_tcgetattr(fd, termios), 'tcgetattr', () => String(fd));
  return termios;
}

/** Settings as they were, at once. */
export function setTerminalMode(fd: number, termios: Buffer): void {
  check(c_tcsetattr(fd, TCSANOW, termios), 'tcsetattr', () => `${fd}, TCSANOW`);
}

/** Every byte through as it is: no echo, no lines, no signals, nothing added to output. What was written goes out first. */
export function setRawMode(fd: number): void {
  const termios = terminalMode(fd);
  c_cfmakeraw(termios);
  check(c_tcsetattr(fd, TCSADRAIN, termios), 'tcsetattr', () => `${fd}, TCSADRAIN, raw`);
}

/** Whether the terminal gathers lines: then a character can end its input. Asked of a master it tells of the slave. */
export function gathersLines(fd: number): boolean {
  return (terminalMode(fd).readUInt32LE(LFLAG_OFFSET) & ICANON) !== 0;
}
