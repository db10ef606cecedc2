// What `events` prints of a cgroup: the shape of runc's types/events.go, which monitoring programs read. Pure.
import type { RawStats } from '../../linux/cgroup/raw-stats.ts';
import type { CgroupStats, CpuStats, IoDeviceStats } from '../../linux/cgroup/stats.ts';

/** For "no limit" on v2 runc says 2^64 - 1 bytes: this is the largest number below that which JavaScript has. */
const NO_LIMIT = 2 ** 64 - 2048;

/** The value of `data`. Numbers that a machine does not have are left out. */
export function statsDocument(stats: CgroupStats, raw: RawStats): object {
  return {
    cpu: cpuDocument(stats.cpu, raw),
    memory: raw.memoryVersion === 2 ? memoryV2(raw) : memoryV1(raw),
    cpuset: cpusetDocument(raw),
    pids: withoutZeros({ current: stats.pids?.current, limit: stats.pids?.limit }),
    blkio: ioDocument(stats.io ?? []),
    hugetlb: hugetlbDocument(raw),
    intel_rdt: {},
    network_interfaces: null,
  };
}

function cpuDocument(cpu: CpuStats | undefined, { perCpu }: RawStats): object {
  if (cpu === undefined) return { usage: { kernel: 0, user: 0 }, throttling: {} };
  const { periods, throttledPeriods, throttledNs: throttledTime } = cpu;
  return {
    usage: {
      total: cpu.usageNs,
      ...(perCpu.length === 0 ? {} : { percpu: perCpu }),
      kernel: cpu.systemNs,
      user: cpu.userNs,
    },
    throttling: withoutZeros({ periods, throttledPeriods, throttledTime }),
  };
}

function memoryV1({ memory, file }: RawStats): object {
  const entry = (prefix: string): object => {
    const value = (name: string): number | undefined => numberOf(file('memory', `memory.${prefix}${name}`));
    const [limit, usage] = [value('limit_in_bytes'), value('usage_in_bytes')];
    return limit === undefined
      ? { limit: 0, failcnt: 0 }
      : { limit, ...withoutZeros({ usage, max: value('max_usage_in_bytes') }), failcnt: value('failcnt') ?? 0 };
  };
  return {
    ...withoutZeros({ cache: memory.get('cache') }),
    usage: entry(''),
    swap: entry('memsw.'),
    kernel: entry('kmem.'),
    kernelTCP: entry('kmem.tcp.'),
    raw: Object.fromEntries(memory),
  };
}

function memoryV2({ memory, file }: RawStats): object {
  const entry = (prefix: string): object => ({
    limit: limitOf(file('memory', `memory.${prefix}max`)),
    ...withoutZeros({ usage: numberOf(file('memory', `memory.${prefix}current`)) }),
    ...withoutZeros({ max: numberOf(file('memory', `memory.${prefix}peak`)) }),
    failcnt: 0,
  });
  return {
    ...withoutZeros({ cache: memory.get('file') }),
    usage: entry(''),
    swap: entry('swap.'),
    kernel: { limit: 0, failcnt: 0 },
    kernelTCP: { limit: 0, failcnt: 0 },
    raw: Object.fromEntries(memory),
  };
}

const CPUSET_FLAGS = [
  'cpu_exclusive',
  'mem_hardwall',
  'mem_exclusive',
  'memory_migrate',
  'memory_spread_page',
  'memory_spread_slab',
  'memory_pressure',
  'sched_load_balance',
  'sched_relax_domain_level',
] as const;

/** The files of v1; zeros where there are none, as on v2. */
function cpusetDocument({ file }: RawStats): object {
  const list = (name: string): object => {
    const numbers = numbersOf(file('cpuset', `cpuset.${name}`) ?? '');
    return numbers.length === 0 ? {} : { [name]: numbers };
  };
  const flags = CPUSET_FLAGS.map((name) => [name, numberOf(file('cpuset', `cpuset.${name}`)) ?? 0] as const);
  return { ...list('cpus'), ...list('mems'), ...Object.fromEntries(flags) };
}

/** `0-2,5` as numbers. */
function numbersOf(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    if (part === '' || first === undefined || last === undefined) return [];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function hugetlbDocument({ pageSizes, file }: RawStats): object {
  const sizes = pageSizes.flatMap((size) => {
    const value = (name: string): number | undefined => numberOf(file('hugetlb', `hugetlb.${size}.${name}`));
    const v1 = value('usage_in_bytes');
    const usage = v1 ?? value('current');
    if (usage === undefined) return [];
    const events = /^max (\d+)$/m.exec(file('hugetlb', `hugetlb.${size}.events`) ?? '')?.[1];
    const failcnt = v1 === undefined ? Number(events ?? 0) : (value('failcnt') ?? 0);
    return [[size, { ...withoutZeros({ usage, max: value('max_usage_in_bytes') }), failcnt }] as const];
  });
  return Object.fromEntries(sizes);
}

function ioDocument(devices: readonly IoDeviceStats[]): object {
  if (devices.length === 0) return {};
  const entries = (read: keyof IoDeviceStats, write: keyof IoDeviceStats): object[] =>
    devices.flatMap((device) => [
      { major: device.major, minor: device.minor, op: 'Read', value: device[read] },
      { major: device.major, minor: device.minor, op: 'Write', value: device[write] },
    ]);
  return {
    ioServiceBytesRecursive: entries('readBytes', 'writeBytes'),
    ioServicedRecursive: entries('readOperations', 'writeOperations'),
  };
}

function limitOf(text: string | undefined): number {
  return text === undefined || text === 'max' ? NO_LIMIT : Number(text);
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text);
}

/** As Go's `omitempty`. */
function withoutZeros<T extends Readonly<Record<string, number | undefined>>>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => (value ?? 0) !== 0)) as Partial<T>;
}
