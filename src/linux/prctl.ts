// prctl(2): constants for syscall tapes, and the calls that concern the agent's own process.
import { check } from './errno.ts';
import { libc } from './libc.ts';

export const PR_SET_PDEATHSIG = 1;
export const PR_GET_DUMPABLE = 3;
export const PR_SET_DUMPABLE = 4;
export const PR_GET_KEEPCAPS = 7;
export const PR_SET_KEEPCAPS = 8;
export const PR_SET_NAME = 15;
export const PR_SET_SECCOMP = 22;
export const PR_CAPBSET_READ = 23;
export const PR_CAPBSET_DROP = 24;
export const PR_GET_SECUREBITS = 27;
export const PR_SET_SECUREBITS = 28;
export const PR_SET_CHILD_SUBREAPER = 36;
export const PR_GET_CHILD_SUBREAPER = 37;
export const PR_SET_NO_NEW_PRIVS = 38;
export const PR_GET_NO_NEW_PRIVS = 39;
export const PR_CAP_AMBIENT = 47;
export const PR_CAP_AMBIENT_IS_SET = 1;
export const PR_CAP_AMBIENT_RAISE = 2;
export const PR_CAP_AMBIENT_LOWER = 3;
export const PR_CAP_AMBIENT_CLEAR_ALL = 4;

/** securebits: do not clear the permitted set when all user ids leave 0 (capabilities(7)). */
export const SECBIT_KEEP_CAPS = 0x10;
export const SECBIT_NO_SETUID_FIXUP = 0x4;

type CPrctl = (op: number, a2: number, a3: number, a4: number, a5: number) => number;
const c_prctl: CPrctl = libc.func(
  'int prctl(int op, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)',
);

/**
 * Make this process non-dumpable: a container's process with the same uid can then neither ptrace it nor open
 * /proc/PID/{mem,fd,exe} (CVE-2019-5736, CVE-2016-9962). Per process, not per thread. Throws SyscallError.
 */
export function forbidDumps(): void {
  check(c_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), 'prctl', () => 'PR_SET_DUMPABLE, 0');
}

/** prctl(2) with one argument, for the calling thread. Throws SyscallError. */
export function prctl(option: number, argument: number): number {
  return check(c_prctl(option, argument, 0, 0, 0), 'prctl', () => `${option}, ${argument}`);
}

/** Whether this process is dumpable: 0 no, 1 yes, 2 by root only. Throws SyscallError. */
export function dumpable(): number {
  return check(c_prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 'prctl', () => 'PR_GET_DUMPABLE');
}

/** Whether `capability` (a number) is in this thread's bounding set. Throws SyscallError on an unknown number. */
export function inBoundingSet(capability: number): boolean {
  return check(c_prctl(PR_CAPBSET_READ, capability, 0, 0, 0), 'prctl', () => `PR_CAPBSET_READ, ${capability}`) === 1;
}
