// prlimit(2), getrlimit(2): resource limits of processes.
import { check } from './errno.ts';
import { libc } from './libc.ts';

/** RLIMIT_*, as in <asm-generic/resource.h>; the same numbers on x86_64 and arm64. */
export const RLIMITS: Readonly<Record<string, number>> = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
};

/** No limit. */
export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

/** `struct rlimit64`. */
export type Rlimit = { readonly soft: bigint; readonly hard: bigint };

type CPrlimit = (pid: number, resource: number, newLimit: Buffer | null, oldLimit: Buffer | null) => number;
const c_prlimit: CPrlimit = libc.func(
  'int prlimit(int pid, int resource, const void *new_limit, _Out_ uint8_t *old_limit)',
);

/** The number of a limit such as `RLIMIT_NOFILE`. Throws a RangeError on a name that Linux does not have. */
export function rlimitNumber(name: string): number {
  const number = RLIMITS[name];
  if (number === undefined) throw new RangeError(`Unknown resource limit '${name}'`);
  return number;
}

/**
 * A limit from a number of a JSON document. -1 is no limit, and so is 2^64-1, which JSON.parse has rounded up.
 * Throws a RangeError on a fraction or on any other negative number.
 */
export function rlimitValue(value: number | bigint): bigint {
  if (value === -1 || value === -1n) return RLIM_INFINITY;
  if (typeof value === 'number' && !Number.isInteger(value)) {
    throw new RangeError(`A resource limit is a whole number, not ${value}`);
  }
  const exact = BigInt(value);
  if (exact < 0n) throw new RangeError(`A resource limit is not negative, but this is ${value}`);
  return exact > RLIM_INFINITY ? RLIM_INFINITY : exact;
}

/** `struct rlimit64` as bytes (16), for prlimit64(2). */
export function rlimitBytes({ soft, hard }: Rlimit): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(soft, 0);
  bytes.writeBigUInt64LE(hard, 8);
  return bytes;
}

/** The limit `name` of process `pid` (0: this one). Throws SyscallError. */
export function getRlimit(name: string, pid = 0): Rlimit {
  const bytes = Buffer.alloc(16);
  check(c_prlimit(pid, rlimitNumber(name), null, bytes), 'prlimit', () => `${pid}, ${name}`);
  return { soft: bytes.readBigUInt64LE(0), hard: bytes.readBigUInt64LE(8) };
}

/** Set the limit `name` of process `pid` (0: this one). Raising `hard` needs CAP_SYS_RESOURCE. Throws SyscallError. */
export function setRlimit(name: string, limit: Rlimit, pid = 0): void {
  const result = c_prlimit(pid, rlimitNumber(name), rlimitBytes(limit), null);
  check(result, 'prlimit', () => `${pid}, ${name}, soft ${limit.soft}, hard ${limit.hard}`);
}
