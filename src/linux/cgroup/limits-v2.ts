// Limits as writes to the files of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst). Pure.
import type { LimitWrite } from './limits.ts';
import type { BlockIoLimits, CgroupResources, CpuLimits, DeviceRate, MemoryLimits } from './resources.ts';

const DEFAULT_PERIOD_US = 100_000;

/** What to write for processor limits on v2: cpu.weight, cpu.max, cpuset. Pure. */
export function cpuWritesV2({ shares, quota, period, burst, idle }: CpuLimits): LimitWrite[] {
  const max = quota !== undefined && quota > 0 ? `${quota}` : 'max';
  const limited = (quota !== undefined && quota !== 0) || (period !== undefined && period !== 0);
  return [
    ...(shares === undefined || shares === 0 ? [] : [write('cpu', 'cpu.weight', `${cpuWeight(shares)}`)]),
    ...(limited ? [write('cpu', 'cpu.max', `${max} ${period || DEFAULT_PERIOD_US}`)] : []),
    ...(burst === undefined ? [] : [write('cpu', 'cpu.max.burst', `${burst}`)]),
    ...(idle === undefined ? [] : [write('cpu', 'cpu.idle', `${idle}`)]),
  ];
}

/**
 * cpu.weight (1 to 10000, default 100) for cpu.shares (2 to 262144, default 1024). The quadratic curve in the logarithm
 * through (2, 1), (1024, 100) and (262144, 10000) that runc, crun and Kubernetes agreed on (KEP-2254): a linear map
 * would give a container with default shares 39, less than any process outside containers has.
 */
export function cpuWeight(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const logarithm = Math.log2(shares);
  const exponent = (logarithm * logarithm + 125 * logarithm) / 612 - 7 / 34;
  return Math.ceil(10 ** exponent);
}

/** Throws a RangeError when `swap`, which counts memory and swap together, does not go with `limit`. */
export function memoryWritesV2({ limit, swap, reservation }: MemoryLimits): LimitWrite[] {
  const swapWrite = swap === undefined || swap === 0 ? [] : [write('memory', 'memory.swap.max', swapMax(swap, limit))];
  return [
    ...bytes('memory', 'memory.max', limit),
    ...swapWrite.map((one) => ({
      ...one,
      hint: 'this kernel does not account swap; boot it with swapaccount=1',
      optional: swap === limit,
    })),
    ...bytes('memory', 'memory.low', reservation),
  ];
}

function swapMax(swap: number, limit: number | undefined): string {
  if (swap === -1) return 'max';
  if (limit === undefined || limit <= 0) throw new RangeError('A limit of memory and swap needs a memory limit');
  if (swap < limit) throw new RangeError(`The limit of memory and swap, ${swap}, is below the memory limit, ${limit}`);
  return `${swap - limit}`;
}

/** What to write for block device limits on v2: io.weight, io.max. Pure. */
export function ioWritesV2(io: BlockIoLimits): LimitWrite[] {
  return [
    ...weightWrites(io.weight),
    ...rates('rbps', io.throttleReadBpsDevice),
    ...rates('wbps', io.throttleWriteBpsDevice),
    ...rates('riops', io.throttleReadIOPSDevice),
    ...rates('wiops', io.throttleWriteIOPSDevice),
  ];
}

function rates(key: string, list: readonly DeviceRate[] = []): LimitWrite[] {
  return list.map(({ major, minor, rate }) => {
    return write('io', 'io.max', `${major}:${minor} ${key}=${rate === 0 ? 'max' : rate}`);
  });
}

/** BFQ takes OCI's scale (10 to 1000) as it is; io.weight has 1 to 10000. */
function weightWrites(weight: number | undefined): LimitWrite[] {
  if (weight === undefined || weight === 0) return [];
  const scaled = 1 + Math.floor(((weight - 10) * 9999) / 990);
  return [{ ...write('io', 'io.bfq.weight', `${weight}`), otherFile: 'io.weight', otherValue: `default ${scaled}` }];
}

/** What to write for limits of huge pages on v2. Pure. */
export function hugetlbWritesV2(limits: NonNullable<CgroupResources['hugepageLimits']>): LimitWrite[] {
  return limits.map(({ pageSize, limit }) => write('hugetlb', `hugetlb.${pageSize}.max`, `${limit}`));
}

/** -1 is `max`; 0 is absent, as OCI's tools have always taken it. */
function bytes(controller: LimitWrite['controller'], file: string, value: number | undefined): LimitWrite[] {
  if (value === undefined || value === 0) return [];
  return [write(controller, file, value === -1 ? 'max' : `${value}`)];
}

function write(controller: LimitWrite['controller'], file: string, value: string): LimitWrite {
  return { controller, file, value };
}
