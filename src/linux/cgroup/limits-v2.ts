// Limits as writes to the files of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst). Pure.
import type { Controller } from './layout.ts';
import { digits, type LimitWrite } from './limit-plan.ts';
import type { BlockIoLimits, CpuLimits, DeviceRate, HugePageLimit, MemoryLimits, RdmaLimit } from './resources.ts';

const NO_SWAP_ACCOUNTING = 'this kernel does not account swap; boot it with swapaccount=1';
const NO_RESERVATIONS = 'this kernel, before 5.7, limits huge pages when they are used, not when they are reserved';

/** What to write for processor limits on v2 (cpu controller). Without a period the kernel keeps the one there is. Pure. */
export function cpuWritesV2({ shares, quota = 0, period = 0, burst, idle }: CpuLimits): LimitWrite[] {
  const max = [quota > 0 ? digits(quota) : 'max', ...(period === 0 ? [] : [digits(period)])].join(' ');
  return [
    ...(shares === undefined || shares === 0 ? [] : [write('cpu', 'cpu.weight', `${cpuWeight(shares)}`)]),
    ...(quota === 0 && period === 0 ? [] : [write('cpu', 'cpu.max', max)]),
    ...(burst === undefined ? [] : [write('cpu', 'cpu.max.burst', digits(burst))]),
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
  const swapValue = swapMax(swap, limit);
  return [
    ...bytes('memory.max', limit),
    ...(swapValue === undefined ? [] : [write('memory', 'memory.swap.max', swapValue)]).map((one) => ({
      ...one,
      hint: NO_SWAP_ACCOUNTING,
      // A kernel that cannot tell gives no swap to speak of, or does not limit it: both are as asked.
      optional: swapValue === '0' || swapValue === 'max',
    })),
    ...bytes('memory.low', reservation),
  ];
}

/** The limit of swap alone, undefined to leave it. Without a limit of memory, v1 and OCI's tools lift that of both. */
function swapMax(swap = 0, limit = 0): string | undefined {
  if (swap === -1 || (swap === 0 && limit === -1)) return 'max';
  if (swap === 0) return undefined;
  if (limit === -1) return digits(swap);
  if (limit <= 0) throw new RangeError('A limit of memory and swap needs a memory limit');
  if (swap < limit) throw new RangeError(`The limit of memory and swap, ${swap}, is below the memory limit, ${limit}`);
  return digits(swap - limit);
}

/** What to write for block device limits on v2: io.weight, io.max. Pure. */
export function ioWritesV2(io: BlockIoLimits): LimitWrite[] {
  const { weight = 0, weightDevice = [] } = io;
  return [
    ...(weight === 0 ? [] : [weightWrite('default', weight)]),
    ...weightDevice.map((device) => weightWrite(`${device.major}:${device.minor}`, device.weight ?? 0)),
    ...rates('rbps', io.throttleReadBpsDevice),
    ...rates('wbps', io.throttleWriteBpsDevice),
    ...rates('riops', io.throttleReadIOPSDevice),
    ...rates('wiops', io.throttleWriteIOPSDevice),
  ];
}

function rates(key: string, list: readonly DeviceRate[] = []): LimitWrite[] {
  return list.map(({ major, minor, rate }) => {
    return write('io', 'io.max', `${major}:${minor} ${key}=${rate === 0 ? 'max' : digits(rate)}`);
  });
}

/** BFQ takes OCI's scale (10 to 1000) as it is; io.weight has 1 to 10000. */
function weightWrite(device: string, weight: number): LimitWrite {
  const scaled = 1 + Math.floor(((weight - 10) * 9999) / 990);
  const own = write('io', 'io.bfq.weight', device === 'default' ? `${weight}` : `${device} ${weight}`);
  return { ...own, otherFile: 'io.weight', otherValue: `${device} ${scaled}` };
}

/** What to write for limits of huge pages on v2: on their use and, where the kernel can, on their reservation. Pure. */
export function hugetlbWritesV2(limits: readonly HugePageLimit[]): LimitWrite[] {
  return limits.flatMap(({ pageSize, limit }) => [
    write('hugetlb', `hugetlb.${pageSize}.max`, digits(limit)),
    { ...write('hugetlb', `hugetlb.${pageSize}.rsvd.max`, digits(limit)), hint: NO_RESERVATIONS, optional: true },
  ]);
}

/** What to write for limits of RDMA devices, on v1 and v2 (rdma.max of Documentation/admin-guide/cgroup-v2.rst). Pure. */
export function rdmaWrites(devices: Readonly<Record<string, RdmaLimit>>): LimitWrite[] {
  return Object.entries(devices).map(([name, { hcaHandles, hcaObjects }]) => {
    const handles = hcaHandles === undefined ? [] : [`hca_handle=${hcaHandles}`];
    const objects = hcaObjects === undefined ? [] : [`hca_object=${hcaObjects}`];
    return write('rdma', 'rdma.max', [name, ...handles, ...objects].join(' '));
  });
}

/** -1 is `max`; 0 is absent, as OCI's tools have always taken it. */
function bytes(file: string, value = 0): LimitWrite[] {
  return value === 0 ? [] : [write('memory', file, value === -1 ? 'max' : digits(value))];
}

function write(controller: Controller, file: string, value: string): LimitWrite {
  return { controller, file, value };
}
