// From the rules of a profile to one decision for every system call number of an ABI. Pure, and free of BPF.
import { nativeAbi, type SyscallAbi, syscallNumbers, X32_SYSCALL_BIT } from '../syscall-numbers.ts';
import { SECCOMP_RET_ERRNO, type SeccompProfile, seccompResult } from './profile.ts';
import { type Alternative, alternativesByCall } from './rules.ts';

/** What to return for one call: the result of the first alternative whose conditions all hold, else `otherwise`. */
export type Decision = { readonly alternatives: readonly Alternative[]; readonly otherwise: number };

/** The decision of all numbers from `from` up to the next segment. `weight` says how often they are called. */
export type Segment = { readonly from: number; readonly decision: Decision; readonly weight: number };

const ENOSYS = 38;
// The private calls of 32-bit arm (cacheflush, set_tls) say nothing about how new a kernel a profile knows.
const ARM_PRIVATE = 0xf0000;
const HOT_WEIGHT = 32;
const TABLES = ['x64', 'arm64', 'ia32', 'arm'] as const;

const HOT: ReadonlySet<string> = new Set(
  (
    'read write readv writev pread64 pwrite64 recvfrom sendto recvmsg sendmsg futex epoll_wait epoll_pwait epoll_ctl ' +
    'poll ppoll clock_gettime clock_nanosleep nanosleep openat close fstat newfstatat statx lseek fcntl ioctl accept4 ' +
    'mmap munmap mprotect madvise rt_sigprocmask sched_yield getpid gettid'
  ).split(' '),
);

/**
 * Cut the numbers 0 to 2^32-1 of `abi` into segments of one decision each; those of x64 hold the x32 calls too.
 * Throws a RangeError on a malformed rule.
 */
export function segmentsOf(profile: SeccompProfile, abi: Exclude<SyscallAbi, 'x32'>): Segment[] {
  if (abi !== 'x64') return segmentsFrom(0, profile, abi);
  return [...segmentsFrom(0, profile, abi), ...x32Segments(profile)];
}

/** Most kernels are built without x32. A profile that does not speak of it must not be bypassed by it. */
function x32Segments(profile: SeccompProfile): Segment[] {
  if (profile.architectures?.includes('SCMP_ARCH_X32') === true) return segmentsFrom(X32_SYSCALL_BIT, profile, 'x32');
  return [{ from: X32_SYSCALL_BIT, decision: plain(SECCOMP_RET_ERRNO + ENOSYS), weight: 1 }];
}

function segmentsFrom(start: number, profile: SeccompProfile, abi: SyscallAbi): Segment[] {
  const fallback = plain(seccompResult(profile.defaultAction, profile.defaultErrnoRet));
  const calls = alternativesByCall(profile, abi);
  const numbers = [...calls.keys()].sort((a, b) => a - b);
  const newest = Math.max(-1, ...numbers.filter((number) => number < start + ARM_PRIVATE));
  const newer = newest === -1 || !refuses(profile) ? fallback : plain(SECCOMP_RET_ERRNO + ENOSYS);
  const hot = hotNumbers(abi);

  const segments: Segment[] = [];
  let next = start;
  for (const number of numbers) {
    if (number > next) append(segments, { from: next, decision: next > newest ? newer : fallback, weight: 1 });
    const decision = { alternatives: calls.get(number) ?? [], otherwise: fallback.otherwise };
    append(segments, { from: number, decision, weight: hot.has(number) ? HOT_WEIGHT : 1 });
    next = number + 1;
  }
  append(segments, { from: next, decision: next > newest ? newer : fallback, weight: 1 });
  return segments;
}

/** The names in `profile` that no ABI known here has: misspelt, or newer than this program. */
export function unknownSyscalls(profile: SeccompProfile): string[] {
  let unknown = [...new Set((profile.syscalls ?? []).flatMap((rule) => rule.names))];
  // A table is read on use, and few profiles need more than the machine's own.
  for (const abi of [nativeAbi(), ...TABLES]) {
    if (unknown.length === 0) break;
    const table = syscallNumbers(abi);
    unknown = unknown.filter((name) => !table.has(name));
  }
  return unknown;
}

/** Whether the default action keeps a call from being made. */
export function refuses({ defaultAction }: SeccompProfile): boolean {
  return !['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE', 'SCMP_ACT_NOTIFY'].includes(defaultAction);
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
    const all = conditions.map(
      ({ index, width, op, value, valueTwo }) => `${index} ${width} ${op} ${value} ${valueTwo}`,
    );
    return `${all.join('&')}:${result}`;
  });
  return [...parts, `${otherwise}`].join('|');
}
