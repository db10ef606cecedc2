// sched(7), sched_setattr(2), ioprio_set(2), set_mempolicy(2), personality(2): numbers behind their names, and structs as bytes.

/** <linux/sched.h>. */
export const SCHED_POLICIES: Readonly<Record<string, number>> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};

export const SCHED_FLAGS: Readonly<Record<string, number>> = {
  SCHED_FLAG_RESET_ON_FORK: 0x01,
  SCHED_FLAG_RECLAIM: 0x02,
  SCHED_FLAG_DL_OVERRUN: 0x04,
  SCHED_FLAG_KEEP_POLICY: 0x08,
  SCHED_FLAG_KEEP_PARAMS: 0x10,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
};

/** <linux/ioprio.h>. */
export const IOPRIO_CLASSES: Readonly<Record<string, number>> = {
  IOPRIO_CLASS_RT: 1,
  IOPRIO_CLASS_BE: 2,
  IOPRIO_CLASS_IDLE: 3,
};
export const IOPRIO_WHO_PROCESS = 1;
const IOPRIO_CLASS_SHIFT = 13;

/** <linux/mempolicy.h>. */
export const MEMORY_POLICIES: Readonly<Record<string, number>> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
};

export const MEMORY_POLICY_FLAGS: Readonly<Record<string, number>> = {
  MPOL_F_NUMA_BALANCING: 1 << 13,
  MPOL_F_RELATIVE_NODES: 1 << 14,
  MPOL_F_STATIC_NODES: 1 << 15,
};

/** <linux/personality.h>. */
export const PERSONALITIES: Readonly<Record<string, number>> = { LINUX: 0, LINUX32: 8 };

/** struct sched_attr in its first version; times in nanoseconds. */
export type SchedAttr = {
  readonly policy: number;
  readonly flags: number;
  readonly nice: number;
  readonly priority: number;
  readonly runtime: number;
  readonly deadline: number;
  readonly period: number;
};

const SCHED_ATTR_SIZE_VER0 = 48;

/** `struct sched_attr` (48 bytes). Throws a RangeError on a number that a field cannot hold. */
export function schedAttrBytes({ policy, flags, nice, priority, runtime, deadline, period }: SchedAttr): Buffer {
  const bytes = Buffer.alloc(SCHED_ATTR_SIZE_VER0);
  bytes.writeUInt32LE(SCHED_ATTR_SIZE_VER0, 0);
  bytes.writeUInt32LE(policy, 4);
  bytes.writeBigUInt64LE(BigInt(flags), 8);
  bytes.writeInt32LE(nice, 16);
  bytes.writeUInt32LE(priority, 20);
  for (const [index, time] of [runtime, deadline, period].entries())
    bytes.writeBigUInt64LE(BigInt(time), 24 + 8 * index);
  return bytes;
}

/** What ioprio_set(2) takes. */
export function ioprioValue(ioClass: number, priority: number): number {
  return (ioClass << IOPRIO_CLASS_SHIFT) | priority;
}

/** A list of processors or nodes as the kernel prints them, `0-3,7`. Throws a RangeError on anything else, and above `highest`. */
export function parseIndexList(list: string, highest = 1023): number[] {
  const indexes = list.split(',').flatMap((part) => {
    const { from = '', to = from } = /^(?<from>\d{1,5})(-(?<to>\d{1,5}))?$/.exec(part.trim())?.groups ?? {};
    const [first, last] = [Number(from), Number(to)];
    if (from === '' || first > last || last > highest) throw new RangeError(`'${list}' is not a list such as 0-3,7`);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return [...new Set(indexes)].sort((a, b) => a - b);
}

/** A bit for every index, in whole 64-bit words, as sched_setaffinity(2) and set_mempolicy(2) take them. */
export function indexMask(indexes: readonly number[]): Buffer {
  const words = Math.floor(Math.max(0, ...indexes) / 64) + 1;
  const mask = Buffer.alloc(8 * words);
  for (const index of indexes) {
    const byte = Math.floor(index / 8);
    mask.writeUInt8(mask.readUInt8(byte) | (1 << (index % 8)), byte);
  }
  return mask;
}
