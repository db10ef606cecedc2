// From the rules of a profile to one decision for every system call number of an ABI. Pure, and free of BPF.
import { type SyscallAbi, syscallNumbers } from '../syscall-numbers.ts';
import type { SeccompArgument, SeccompOperator, SeccompProfile, SeccompRule } from './profile.ts';
import { SECCOMP_RET_ERRNO, seccompResult } from './profile.ts';

/** What to return for one call: the result of the first alternative whose conditions all hold, else `otherwise`. */
export type Decision = { readonly alternatives: readonly Alternative[]; readonly otherwise: number };
export type Alternative = { readonly conditions: readonly Condition[]; readonly result: number };

/** One comparison of a 64-bit argument. MASKED_EQ is `(argument & value) === valueTwo`. */
export type Condition = {
  readonly index: number;
  readonly op: SeccompOperator;
  readonly value: bigint;
  readonly valueTwo: bigint;
};

/** The decision of all numbers from `from` up to the next segment. `weight` says how often they are called. */
export type Segment = { readonly from: number; readonly decision: Decision; readonly weight: number };

const ENOSYS = 38;
// An x32 call is an x86_64 call with this bit, under the same audit architecture.
const X32_SYSCALL_BIT = 0x40000000;
// The private calls of 32-bit arm (cacheflush, set_tls) say nothing about how new a kernel a profile knows.
const ARM_PRIVATE = 0xf0000;
const UINT64_MAX = 0xffff_ffff_ffff_ffffn;
const HOT_WEIGHT = 32;

const HOT: ReadonlySet<string> = new Set(
  (
    'read write readv writev pread64 pwrite64 recvfrom sendto recvmsg sendmsg futex epoll_wait epoll_pwait epoll_ctl ' +
    'poll ppoll clock_gettime clock_nanosleep nanosleep openat close fstat newfstatat statx lseek fcntl ioctl accept4 ' +
    'mmap munmap mprotect madvise rt_sigprocmask sched_yield getpid gettid'
  ).split(' '),
);

/**
 * Cut the numbers 0 to 2^32-1 of `abi` into segments of one decision each. Names that the ABI does not have are
 * passed over, as libseccomp does: one profile serves many machines. Throws a RangeError on a malformed rule.
 */
export function segmentsOf(profile: SeccompProfile, abi: SyscallAbi): Segment[] {
  const fallback = plain(seccompResult(profile.defaultAction, profile.defaultErrnoRet));
  const decisions = decisionsOf(profile, abi, fallback.otherwise);
  const numbers = [...decisions.keys()].sort((a, b) => a - b);
  const newest = Math.max(-1, ...numbers.filter((number) => number < ARM_PRIVATE));
  const newer = newest === -1 || !refuses(profile) ? fallback : plain(SECCOMP_RET_ERRNO + ENOSYS);
  const hot = hotNumbers(abi);

  const segments: Segment[] = [];
  let next = 0;
  for (const number of numbers) {
    if (number > next) append(segments, { from: next, decision: next > newest ? newer : fallback, weight: 1 });
    const decision = decisions.get(number) ?? fallback;
    append(segments, { from: number, decision, weight: hot.has(number) ? HOT_WEIGHT : 1 });
    next = number + 1;
  }
  append(segments, { from: next, decision: next > newest ? newer : fallback, weight: 1 });
  // Most kernels are built without x32. An allow-by-default profile must not be bypassed by it.
  if (abi === 'x64')
    append(segments, { from: X32_SYSCALL_BIT, decision: plain(SECCOMP_RET_ERRNO + ENOSYS), weight: 1 });
  return segments;
}

/** The names in `profile` that no ABI known here has: misspelt, or newer than this program. */
export function unknownSyscalls(profile: SeccompProfile): string[] {
  const tables = (['x64', 'arm64', 'ia32', 'arm'] as const).map(syscallNumbers);
  const names = new Set((profile.syscalls ?? []).flatMap((rule) => rule.names));
  return [...names].filter((name) => !tables.some((table) => table.has(name)));
}

/** Whether the default action keeps a call from being made. */
export function refuses({ defaultAction }: SeccompProfile): boolean {
  return !['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE', 'SCMP_ACT_NOTIFY'].includes(defaultAction);
}

function decisionsOf(profile: SeccompProfile, abi: SyscallAbi, otherwise: number): Map<number, Decision> {
  const table = syscallNumbers(abi);
  const decisions = new Map<number, Decision>();
  for (const rule of profile.syscalls ?? []) {
    const added = alternativesOf(rule);
    for (const name of rule.names) {
      const number = table.get(name);
      if (number === undefined) continue;
      const earlier = decisions.get(number) ?? plain(otherwise);
      decisions.set(number, extend(earlier, added));
    }
  }
  return decisions;
}

function alternativesOf(rule: SeccompRule): Alternative[] {
  const result = seccompResult(rule.action, rule.errnoRet);
  const conditions = (rule.args ?? []).map(conditionOf);
  const indexes = new Set(conditions.map(({ index }) => index));
  // A rule that names one argument twice means "either": libseccomp cannot AND them, and profiles rely on that.
  if (indexes.size < conditions.length) return conditions.map((condition) => ({ conditions: [condition], result }));
  return [{ conditions, result }];
}

function conditionOf({ index, op, value, valueTwo = 0 }: SeccompArgument): Condition {
  if (!Number.isInteger(index) || index < 0 || index > 5) {
    throw new RangeError(`A system call has arguments 0 to 5, not ${index}`);
  }
  return { index, op, value: unsigned(value), valueTwo: unsigned(valueTwo) };
}

/** A number of a JSON document as the kernel sees it. JSON.parse rounds 2^64-1 up to 2^64: take it back. */
function unsigned(value: number | bigint): bigint {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    throw new RangeError(`A seccomp argument is compared with a whole number, not ${value}`);
  }
  const exact = BigInt(value);
  return exact > UINT64_MAX ? UINT64_MAX : BigInt.asUintN(64, exact);
}

/** Add alternatives behind those that are there. The first one without conditions settles the call. */
function extend(decision: Decision, added: readonly Alternative[]): Decision {
  return added.reduce<Decision>((so, alternative) => {
    if (settled(so)) return so;
    return { alternatives: [...so.alternatives, alternative], otherwise: so.otherwise };
  }, decision);
}

function settled({ alternatives }: Decision): boolean {
  return alternatives.at(-1)?.conditions.length === 0;
}

function plain(result: number): Decision {
  return { alternatives: [], otherwise: result };
}

function hotNumbers(abi: SyscallAbi): ReadonlySet<number> {
  const table = syscallNumbers(abi);
  return new Set([...HOT].map((name) => table.get(name) ?? -1));
}

/** Add a segment, or widen the last one when it decides the same. */
function append(segments: Segment[], segment: Segment): void {
  const last = segments.at(-1);
  if (last === undefined || decisionKey(last.decision) !== decisionKey(segment.decision)) {
    segments.push(segment);
    return;
  }
  segments[segments.length - 1] = { ...last, weight: last.weight + segment.weight };
}

/** Equal for decisions that return the same for every call. */
export function decisionKey({ alternatives, otherwise }: Decision): string {
  const first = alternatives[0];
  if (first !== undefined && first.conditions.length === 0) return `${first.result}`;
  const parts = alternatives.map(({ conditions, result }) => {
    const all = conditions.map(({ index, op, value, valueTwo }) => `${index} ${op} ${value} ${valueTwo}`);
    return `${all.join('&')}:${result}`;
  });
  return [...parts, `${otherwise}`].join('|');
}
