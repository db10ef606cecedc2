// Which system calls this kernel has: each is called with arguments that can only fail, and what matters is how.
import { koffi } from './koffi.ts';

import { errnoName } from './errno.ts';
import { libc } from './libc.ts';
import { nativeAbi, syscallNumber } from './syscall-numbers.ts';

/** `missing`: the kernel is too old. `refused`: a seccomp filter or a policy is in the way of this process. */
export type Availability = 'present' | 'missing' | 'refused';

type CSyscall = (number: number, a: number, b: number, c: number, d: number, e: number) => number;
const c_syscall: CSyscall = libc.func('syscall', 'long', ['long', 'long', 'long', 'long', 'long', 'long']);

// No descriptor has this number, no process this pid, and nothing is mapped at address 0. clone3 is given a size of 0.
const BAD = -1;
const PROBES: Readonly<Record<string, readonly [number, number, number, number, number]>> = {
  clone3: [0, 0, 0, 0, 0],
  close_range: [2, 1, 0, 0, 0],
  execveat: [BAD, 0, 0, 0, 0],
  fsconfig: [BAD, 0, 0, 0, 0],
  fsmount: [BAD, 0, 0, 0, 0],
  fsopen: [0, 0, 0, 0, 0],
  memfd_create: [0, 0, 0, 0, 0],
  mount_setattr: [BAD, 0, 0, 0, 0],
  move_mount: [BAD, 0, BAD, 0, 0],
  open_tree: [BAD, 0, 0, 0, 0],
  openat2: [BAD, 0, 0, 0, 0],
  pidfd_open: [BAD, 0, 0, 0, 0],
  pidfd_send_signal: [BAD, 0, 0, 0, 0],
  seccomp: [BAD, 0, 0, 0, 0],
};

/** The calls that can be asked about, and that berth uses. */
export const PROBED_CALLS: readonly string[] = Object.keys(PROBES);

/** Whether the kernel has a call of PROBED_CALLS. Changes nothing. Throws RangeError on another name. */
export function probeCall(name: string): Availability {
  const probe = PROBES[name];
  if (probe === undefined) throw new RangeError(`There is no probe for '${name}'`);
  if (c_syscall(syscallNumber(nativeAbi(), name), ...probe) !== -1) return 'present';
  const errno = errnoName(koffi.errno());
  if (errno === 'ENOSYS') return 'missing';
  return errno === 'EPERM' || errno === 'EACCES' ? 'refused' : 'present';
}
