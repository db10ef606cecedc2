// pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), waitid(2): processes by descriptor, so that a number that was used again is never hit.
import { check, isErrno } from './errno.ts';
import { Fd } from './fd.ts';
import { libc } from './libc.ts';
import { SIGINFO_SIZE, parseSiginfo, type ExitStatus } from './siginfo.ts';
import { syscallNumber } from './syscall-numbers.ts';
import { hostArchitecture } from './tape/machine-code.ts';

const P_PIDFD = 3;
const WNOHANG = 1;
const WEXITED = 4;

type CSyscall3 = (number: number, a: number, b: number, c: number, d: number) => number;
const c_syscall: CSyscall3 = libc.func('syscall', 'long', ['long', 'long', 'long', 'long', 'long']);
type CWaitid = (idtype: number, id: number, info: Buffer, options: number) => number;
const c_waitid: CWaitid = libc.func('int waitid(int idtype, unsigned int id, void *infop, int options)');

/** A descriptor of the process, or undefined when there is no such process (any more). */
export function pidfdOpen(pid: number): Fd | undefined {
  try {
    const number = syscallNumber(hostArchitecture(), 'pidfd_open');
    return new Fd(check(c_syscall(number, pid, 0, 0, 0), 'pidfd_open', () => String(pid)));
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return undefined;
    throw error;
  }
}

/** Send a signal. Returns false when the process has ended. Throws SyscallError on anything else. */
export function pidfdSendSignal(pidfd: number, signal: number): boolean {
  try {
    const number = syscallNumber(hostArchitecture(), 'pidfd_send_signal');
    check(c_syscall(number, pidfd, signal, 0, 0), 'pidfd_send_signal', () => `signal ${signal}`);
    return true;
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    throw error;
  }
}

/** A copy of descriptor `fd` of another process, closed on exec. Throws SyscallError, EBADF when that has no such. */
export function pidfdGetfd(pidfd: number, fd: number): Fd {
  const number = syscallNumber(hostArchitecture(), 'pidfd_getfd');
  return new Fd(check(c_syscall(number, pidfd, fd, 0, 0), 'pidfd_getfd', () => String(fd)));
}

/** Reap a child of this process that has ended. Undefined: it still runs, or it is not (any more) our child. */
export function reap(pidfd: number): ExitStatus | undefined {
  const info = Buffer.alloc(SIGINFO_SIZE);
  try {
    check(c_waitid(P_PIDFD, pidfd, info, WEXITED | WNOHANG), 'waitid', () => `P_PIDFD ${pidfd}`);
  } catch (error) {
    if (isErrno(error, 'ECHILD')) return undefined;
    throw error;
  }
  return parseSiginfo(info);
}
