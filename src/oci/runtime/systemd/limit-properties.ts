// The limits that systemd knows, as properties of a unit: systemd.resource-control(5). Those that it does not know are written to the
// files of the cgroup, all of them in fact; systemd is told so that it does not write others there. Pure.
import { cpuWeight } from '../../../linux/cgroup/limits-v2.ts';
import type { CgroupResources, CpuLimits, MemoryLimits } from '../../../linux/cgroup/resources.ts';
import { cpuListBits } from './cpu-list-bits.ts';
import { property, type UnitProperty } from './property.ts';

/** No limit. */
const INFINITY = 2n ** 64n - 1n;
const DEFAULT_PERIOD_US = 100_000;
const SECOND_US = 1_000_000;
/** systemd keeps the quota in percent of a processor. */
const PERCENT_US = 10_000;
const WITH_QUOTA_PERIOD = 242;
const WITH_CPUSET = 244;

export type SystemdFacts = {
  /** Its number, such as 252. */
  readonly version: number;
  /** The properties differ with the version of the memory and cpu controllers. */
  readonly cgroupVersion: 1 | 2;
};

/**
 * What to tell systemd of these limits; nothing of those that are not named. Throws RangeError when memory and swap together are less than
 * memory alone.
 */
export function limitProperties(resources: CgroupResources, facts: SystemdFacts): UnitProperty[] {
  const { cpu = {}, memory = {}, pids = {}, blockIO = {} } = resources;
  const { limit = 0 } = pids;
  const { weight = 0 } = blockIO;
  const [first, second] = facts.cgroupVersion === 1 ? [memoryV1, cpuWeightV1] : [memoryV2, cpuWeightV2];
  return [
    ...first(memory),
    ...second(cpu),
    ...quota(cpu, facts.version),
    ...(limit === 0 ? [] : [property('TasksMax', 't', limit < 0 ? INFINITY : BigInt(limit))]),
    ...(weight === 0 || facts.cgroupVersion === 2 ? [] : [property('BlockIOWeight', 't', BigInt(weight))]),
    ...(facts.version < WITH_CPUSET ? [] : cpuset(cpu)),
  ];
}

function memoryV1({ limit = 0 }: MemoryLimits): UnitProperty[] {
  return bytes('MemoryLimit', limit);
}

/** `swap` of OCI counts memory too; that of v2 does not. */
function memoryV2({ limit = 0, reservation = 0, swap = 0 }: MemoryLimits): UnitProperty[] {
  if (swap > 0 && swap < limit)
    throw new RangeError(`The limit of memory and swap, ${swap}, is below the memory limit, ${limit}`);
  const swapAlone = swap > 0 && limit > 0 ? swap - limit : undefined;
  const unlimited = swap === -1 || (swap === 0 && limit === -1);
  return [
    ...bytes('MemoryMax', limit),
    ...bytes('MemoryLow', reservation),
    ...(swapAlone === undefined ? [] : [property('MemorySwapMax', 't', BigInt(swapAlone))]),
    ...(unlimited ? bytes('MemorySwapMax', -1) : []),
  ];
}

function bytes(name: string, value: number): UnitProperty[] {
  return value === 0 ? [] : [property(name, 't', value < 0 ? INFINITY : BigInt(value))];
}

function cpuWeightV1({ shares = 0 }: CpuLimits): UnitProperty[] {
  return shares === 0 ? [] : [property('CPUShares', 't', BigInt(shares))];
}

function cpuWeightV2({ shares = 0 }: CpuLimits): UnitProperty[] {
  return shares === 0 ? [] : [property('CPUWeight', 't', BigInt(cpuWeight(shares)))];
}

/** Rounded up to a percent, so that systemd never has less than the file will be given. */
function quota({ quota: time = 0, period = 0 }: CpuLimits, version: number): UnitProperty[] {
  if (time === 0 && period === 0) return [];
  const perSecond = (time * SECOND_US) / (period || DEFAULT_PERIOD_US);
  const rounded = BigInt(Math.ceil(Math.floor(perSecond) / PERCENT_US) * PERCENT_US);
  return [
    ...(period === 0 || version < WITH_QUOTA_PERIOD ? [] : [property('CPUQuotaPeriodUSec', 't', BigInt(period))]),
    property('CPUQuotaPerSecUSec', 't', time > 0 ? rounded : INFINITY),
  ];
}

function cpuset({ cpus = '', mems = '' }: CpuLimits): UnitProperty[] {
  return [
    ...(cpus === '' ? [] : [property('AllowedCPUs', 'ay', cpuListBits(cpus))]),
    ...(mems === '' ? [] : [property('AllowedMemoryNodes', 'ay', cpuListBits(mems))]),
  ];
}
