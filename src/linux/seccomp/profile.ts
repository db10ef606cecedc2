// seccomp(2), and the profile of the OCI runtime specification (config-linux.md, "Seccomp") that a filter is made from.

export type SeccompProfile = {
  readonly defaultAction: SeccompAction;
  /** The error number of an SCMP_ACT_ERRNO default (EPERM when absent), or the message of an SCMP_ACT_TRACE one. */
  readonly defaultErrnoRet?: number;
  /** `SCMP_ARCH_*` beside the machine's own, which is always filtered by the rules. */
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly syscalls?: readonly SeccompRule[];
};

export type SeccompRule = {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
};

export type SeccompArgument = {
  readonly index: number;
  readonly value: number | bigint;
  readonly valueTwo?: number | bigint;
  readonly op: SeccompOperator;
};

export type SeccompAction = keyof typeof ACTIONS;

export type SeccompOperator =
  'SCMP_CMP_NE' | 'SCMP_CMP_LT' | 'SCMP_CMP_LE' | 'SCMP_CMP_EQ' | 'SCMP_CMP_GE' | 'SCMP_CMP_GT' | 'SCMP_CMP_MASKED_EQ';

export const SECCOMP_SET_MODE_FILTER = 1;

export const SECCOMP_RET_KILL_PROCESS = 0x80000000;
export const SECCOMP_RET_KILL_THREAD = 0x00000000;
export const SECCOMP_RET_TRAP = 0x00030000;
export const SECCOMP_RET_ERRNO = 0x00050000;
export const SECCOMP_RET_USER_NOTIF = 0x7fc00000;
export const SECCOMP_RET_TRACE = 0x7ff00000;
export const SECCOMP_RET_LOG = 0x7ffc0000;
export const SECCOMP_RET_ALLOW = 0x7fff0000;
export const SECCOMP_RET_ACTION_FULL = 0xffff0000;
export const SECCOMP_RET_DATA = 0x0000ffff;

const ACTIONS = {
  SCMP_ACT_KILL: SECCOMP_RET_KILL_THREAD,
  SCMP_ACT_KILL_THREAD: SECCOMP_RET_KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: SECCOMP_RET_KILL_PROCESS,
  SCMP_ACT_TRAP: SECCOMP_RET_TRAP,
  SCMP_ACT_ERRNO: SECCOMP_RET_ERRNO,
  SCMP_ACT_NOTIFY: SECCOMP_RET_USER_NOTIF,
  SCMP_ACT_TRACE: SECCOMP_RET_TRACE,
  SCMP_ACT_LOG: SECCOMP_RET_LOG,
  SCMP_ACT_ALLOW: SECCOMP_RET_ALLOW,
} as const;

/** What seccomp(2) is told for the flags of the specification. */
const FLAGS: Readonly<Record<string, number>> = {
  // For all threads of the process: a tape has one.
  SECCOMP_FILTER_FLAG_TSYNC: 0,
  SECCOMP_FILTER_FLAG_LOG: 0x2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 0x4,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 0x20,
};
export const SECCOMP_FILTER_FLAG_NEW_LISTENER = 0x8;

const EPERM = 1;
const MAX_ERRNO = 4095;

/**
 * What a filter returns for `action`. `errnoRet` is the error number of an ERRNO (EPERM when absent) or the message of
 * a TRACE. Throws a RangeError on an unknown action, a number that does not fit, or one for an action that takes none
 * (config-linux.md, "Seccomp": the runtime MUST fail).
 */
export function seccompResult(action: SeccompAction, errnoRet?: number): number {
  const result = (ACTIONS as Readonly<Record<string, number>>)[action];
  if (result === undefined) throw new RangeError(`Unknown seccomp action '${action}'`);
  if (action !== 'SCMP_ACT_ERRNO' && action !== 'SCMP_ACT_TRACE') {
    if (errnoRet === undefined) return result;
    throw new RangeError(`${action} takes no errnoRet, only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do`);
  }
  const data = errnoRet ?? EPERM;
  const limit = action === 'SCMP_ACT_ERRNO' ? MAX_ERRNO : SECCOMP_RET_DATA;
  if (!Number.isInteger(data) || data < 0 || data > limit) {
    throw new RangeError(`The errnoRet of ${action} is a number from 0 to ${limit}, not ${data}`);
  }
  return result + data;
}

/** The bits of seccomp(2) `flags` for these names. Throws a RangeError on an unknown name. */
export function seccompFlags(names: readonly string[] = []): number {
  return names.reduce((bits, name) => {
    const bit = FLAGS[name];
    if (bit === undefined) throw new RangeError(`Unknown seccomp flag '${name}'`);
    return bits | bit;
  }, 0);
}
