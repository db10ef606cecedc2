// Limits as writes to the files of cgroup v1 (Documentation/admin-guide/cgroup-v1). Pure.
import type { LimitWrite } from './limits.ts';
import type {
  BlockIoLimits,
  CgroupDeviceRule,
  CgroupResources,
  CpuLimits,
  DeviceRate,
  MemoryLimits,
} from './resources.ts';

const NO_SWAP_ACCOUNTING = 'this kernel does not account swap; boot it with swapaccount=1';

/** What to write for processor limits on v1 (cpu, cpuset controllers). Pure. */
export function cpuWritesV1(cpu: CpuLimits): LimitWrite[] {
  return [
    ...number('cpu', 'cpu.shares', cpu.shares),
    ...number('cpu', 'cpu.cfs_period_us', cpu.period),
    ...number('cpu', 'cpu.cfs_quota_us', cpu.quota),
    ...(cpu.burst === undefined ? [] : [write('cpu', 'cpu.cfs_burst_us', `${cpu.burst}`)]),
    ...(cpu.idle === undefined ? [] : [write('cpu', 'cpu.idle', `${cpu.idle}`)]),
    ...number('cpu', 'cpu.rt_period_us', cpu.realtimePeriod),
    ...number('cpu', 'cpu.rt_runtime_us', cpu.realtimeRuntime),
  ];
}

/** `memsw` counts memory and swap together, as OCI's `swap` does. It must never be below the memory limit. */
export function memoryWritesV1({ limit, swap, reservation, swappiness, disableOOMKiller }: MemoryLimits): LimitWrite[] {
  const total = swap ?? (limit === -1 ? -1 : undefined);
  const memsw = number('memory', 'memory.memsw.limit_in_bytes', total).map((write) => ({
    ...write,
    hint: NO_SWAP_ACCOUNTING,
    // Nobody asked for swap: a kernel that cannot tell is noted, no error.
    optional: swap === undefined || swap === limit,
  }));
  return [
    ...number('memory', 'memory.limit_in_bytes', limit),
    ...memsw,
    ...number('memory', 'memory.soft_limit_in_bytes', reservation),
    ...(swappiness === undefined ? [] : [write('memory', 'memory.swappiness', `${swappiness}`)]),
    ...(disableOOMKiller === true ? [write('memory', 'memory.oom_control', '1')] : []),
  ];
}

/** What to write for block device limits on v1 (blkio controller). Pure. */
export function ioWritesV1(io: BlockIoLimits): LimitWrite[] {
  return [
    // The file is named for the scheduler that reads it: CFQ, gone since 5.0, or BFQ.
    ...number('io', 'blkio.bfq.weight', io.weight).map((one) => ({ ...one, otherFile: 'blkio.weight' })),
    ...rates('read_bps', io.throttleReadBpsDevice),
    ...rates('write_bps', io.throttleWriteBpsDevice),
    ...rates('read_iops', io.throttleReadIOPSDevice),
    ...rates('write_iops', io.throttleWriteIOPSDevice),
  ];
}

function rates(name: string, list: readonly DeviceRate[] = []): LimitWrite[] {
  return list.map(({ major, minor, rate }) =>
    write('io', `blkio.throttle.${name}_device`, `${major}:${minor} ${rate}`),
  );
}

/** What to write for limits of huge pages on v1. Pure. */
export function hugetlbWritesV1(limits: NonNullable<CgroupResources['hugepageLimits']>): LimitWrite[] {
  return limits.map(({ pageSize, limit }) => write('hugetlb', `hugetlb.${pageSize}.limit_in_bytes`, `${limit}`));
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

/** One write, or none for an absent limit and for 0, which OCI's tools have always taken for absent. */
function number(controller: LimitWrite['controller'], file: string, value: number | undefined): LimitWrite[] {
  return value === undefined || value === 0 ? [] : [write(controller, file, `${value}`)];
}

function write(controller: LimitWrite['controller'], file: string, value: string): LimitWrite {
  return { controller, file, value };
}
