// Limits as writes to the files of cgroup v1 (Documentation/admin-guide/cgroup-v1). Pure.
import type { Controller } from './layout.ts';
import { digits, type LimitWrite, numberWrite } from './limit-plan.ts';
import type {
  BlockIoLimits,
  CgroupDeviceRule,
  CpuLimits,
  DeviceRate,
  DeviceWeight,
  HugePageLimit,
  MemoryLimits,
  NetworkLimits,
} from './resources.ts';

const NO_KERNEL_LIMIT = 'this kernel does not limit kernel memory by itself any more; it is part of the memory limit';
const NO_CFQ = 'this kernel has no scheduler that reads it; CFQ is gone since 5.0';
const NO_RESERVATIONS = 'this kernel, before 5.7, limits huge pages when they are used, not when they are reserved';
const NO_SWAP_ACCOUNTING = 'this kernel does not account swap; boot it with swapaccount=1';

/** What to write for processor limits on v1 (cpu, cpuset controllers). Pure. */
export function cpuWritesV1(cpu: CpuLimits): LimitWrite[] {
  return [
    ...numberWrite('cpu', 'cpu.shares', cpu.shares),
    ...numberWrite('cpu', 'cpu.cfs_period_us', cpu.period),
    ...numberWrite('cpu', 'cpu.cfs_quota_us', cpu.quota),
    ...(cpu.burst === undefined ? [] : [write('cpu', 'cpu.cfs_burst_us', `${cpu.burst}`)]),
    ...(cpu.idle === undefined ? [] : [write('cpu', 'cpu.idle', `${cpu.idle}`)]),
    ...numberWrite('cpu', 'cpu.rt_period_us', cpu.realtimePeriod),
    ...numberWrite('cpu', 'cpu.rt_runtime_us', cpu.realtimeRuntime),
  ];
}

/** `memsw` counts memory and swap together, as OCI's `swap` does. It must never be below the memory limit. */
export function memoryWritesV1(memory: MemoryLimits): LimitWrite[] {
  const { limit, swap, reservation, swappiness, kernel, kernelTCP } = memory;
  const memsw = numberWrite('memory', 'memory.memsw.limit_in_bytes', swap ?? (limit === -1 ? -1 : undefined));
  return [
    // Before there are processes and sub-cgroups, or not at all.
    ...(memory.useHierarchy === true ? [write('memory', 'memory.use_hierarchy', '1')] : []),
    ...numberWrite('memory', 'memory.limit_in_bytes', limit),
    // Nobody asked for swap: a kernel that cannot tell is noted, no error.
    ...memsw.map((one) => ({ ...one, hint: NO_SWAP_ACCOUNTING, optional: swap === undefined || swap === limit })),
    ...numberWrite('memory', 'memory.soft_limit_in_bytes', reservation),
    ...kernelWrites('memory.kmem.limit_in_bytes', kernel),
    ...kernelWrites('memory.kmem.tcp.limit_in_bytes', kernelTCP),
    ...(swappiness === undefined ? [] : [write('memory', 'memory.swappiness', `${swappiness}`)]),
    ...(memory.disableOOMKiller === true ? [write('memory', 'memory.oom_control', '1')] : []),
  ];
}

/** "No limit" is what a kernel without these files gives. */
function kernelWrites(file: string, value: number | undefined): LimitWrite[] {
  return numberWrite('memory', file, value).map((one) => ({
    ...one,
    hint: NO_KERNEL_LIMIT,
    optional: value === -1,
    verified: value !== -1,
  }));
}

/**
 * What to write for block device limits on v1 (blkio controller). The files of weights are named for the scheduler that reads
 * them: BFQ, or CFQ, which is gone since 5.0. Pure.
 */
export function ioWritesV1(io: BlockIoLimits): LimitWrite[] {
  const { leafWeight, weightDevice = [] } = io;
  return [
    ...numberWrite('io', 'blkio.bfq.weight', io.weight).map((one) => ({ ...one, otherFile: 'blkio.weight' })),
    ...numberWrite('io', 'blkio.leaf_weight', leafWeight).map((one) => ({ ...one, hint: NO_CFQ })),
    ...weightDevice.flatMap(deviceWeights),
    ...rates('read_bps', io.throttleReadBpsDevice),
    ...rates('write_bps', io.throttleWriteBpsDevice),
    ...rates('read_iops', io.throttleReadIOPSDevice),
    ...rates('write_iops', io.throttleWriteIOPSDevice),
  ];
}

function deviceWeights({ major, minor, weight = 0, leafWeight = 0 }: DeviceWeight): LimitWrite[] {
  const device = `${major}:${minor}`;
  const own = { ...write('io', 'blkio.bfq.weight_device', `${device} ${weight}`), otherFile: 'blkio.weight_device' };
  const leaf = { ...write('io', 'blkio.leaf_weight_device', `${device} ${leafWeight}`), hint: NO_CFQ };
  return [...(weight === 0 ? [] : [own]), ...(leafWeight === 0 ? [] : [leaf])];
}

function rates(name: string, list: readonly DeviceRate[] = []): LimitWrite[] {
  return list.map(({ major, minor, rate }) =>
    write('io', `blkio.throttle.${name}_device`, `${major}:${minor} ${digits(rate)}`),
  );
}

/** What to write for limits of huge pages on v1: on their use and, where the kernel can, on their reservation. Pure. */
export function hugetlbWritesV1(limits: readonly HugePageLimit[]): LimitWrite[] {
  return limits.flatMap(({ pageSize, limit }) => {
    const used = write('hugetlb', `hugetlb.${pageSize}.limit_in_bytes`, digits(limit));
    const reserved = write('hugetlb', `hugetlb.${pageSize}.rsvd.limit_in_bytes`, digits(limit));
    return [used, { ...reserved, hint: NO_RESERVATIONS, optional: true }];
  });
}

/** What to write for the class of packets (net_cls controller). Pure. */
export function networkClassWrites({ classID }: NetworkLimits): LimitWrite[] {
  return numberWrite('net_cls', 'net_cls.classid', classID);
}

/** What to write for the priorities of packets (net_prio controller). Pure. */
export function networkPriorityWrites({ priorities = [] }: NetworkLimits): LimitWrite[] {
  return priorities.map(({ name, priority }) => write('net_prio', 'net_prio.ifpriomap', `${name} ${priority}`));
}

/** Device rules in the order given: each takes effect on top of those before it. */
export function deviceWritesV1(rules: readonly CgroupDeviceRule[]): LimitWrite[] {
  return rules.flatMap((rule) => {
    const file = rule.allow ? 'devices.allow' : 'devices.deny';
    return deviceLines(rule).map((line) => write('devices', file, line));
  });
}

function deviceLines({ type = 'a', major = -1, minor = -1, access = 'rwm' }: CgroupDeviceRule): string[] {
  const numbers = `${major === -1 ? '*' : major}:${minor === -1 ? '*' : minor}`;
  if (type !== 'a') return [`${type} ${numbers} ${access}`];
  // The kernel takes `a` for everything, whatever follows it.
  if (numbers === '*:*' && ['r', 'w', 'm'].every((letter) => access.includes(letter))) return ['a'];
  return [`c ${numbers} ${access}`, `b ${numbers} ${access}`];
}

function write(controller: Controller, file: string, value: string): LimitWrite {
  return { controller, file, value };
}
