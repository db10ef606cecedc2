// What a cgroup uses, in the same units on v1 and v2. Files are opened anew each time: a kept descriptor would hold a
// page of kernel memory for each file of each container, and saves less than the kernel takes to sum the numbers up.
import { readControlIfPresent } from './control-file.ts';
import type { Place } from './layout.ts';
import { placeOf } from './place.ts';
import { cpuStatsV1, ioStatsV1, memoryStatsV1, oomKillsV1 } from './stats-v1.ts';
import { cpuStatsV2, ioStatsV2, memoryStatsV2, oomKillsV2 } from './stats-v2.ts';
import { parseLimit } from './control-file.ts';
import { pressureStats } from './pressure.ts';

/** A part is undefined when its controller, or the whole cgroup, is not there. */
export type CgroupStats = {
  readonly cpu: CpuStats | undefined;
  readonly memory: MemoryStats | undefined;
  readonly pids: PidsStats | undefined;
  readonly io: readonly IoDeviceStats[] | undefined;
  /** cgroup2 with pressure stall information only; also on hybrid machines. */
  readonly pressure: PressureStats | undefined;
};

/** Counters since the cgroup was made. Throttling counts only while there is a quota. */
export type CpuStats = {
  readonly usageNs: number;
  readonly userNs: number;
  readonly systemNs: number;
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledNs: number;
};

export type MemoryStats = {
  readonly usageBytes: number;
  /** Usage without the page cache that is easily given back. */
  readonly workingSetBytes: number;
  readonly rssBytes: number;
  readonly cacheBytes: number;
  readonly mappedFileBytes: number;
  readonly swapBytes: number;
  /** The highest usage so far; v2 since 5.19. */
  readonly peakBytes: number | undefined;
  /** Undefined: unlimited. */
  readonly limitBytes: number | undefined;
  /** How often the limit was met. */
  readonly failures: number;
  readonly oomKills: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
};

/** `current` counts threads. */
export type PidsStats = { readonly current: number; readonly limit: number | undefined };

export type IoDeviceStats = {
  readonly major: number;
  readonly minor: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly readOperations: number;
  readonly writeOperations: number;
};

/** Total time in which some (waiting) or all (stalled) tasks were held up for want of a resource. */
export type PressureStats = { readonly cpu: Pressure; readonly memory: Pressure; readonly io: Pressure };
export type Pressure = { readonly waitingUs: number; readonly stalledUs: number };

/** Read everything. */
export function readStats(places: readonly Place[]): CgroupStats {
  const cpu = placeOf(places, 'cpu');
  const account = placeOf(places, 'cpuacct');
  const memory = placeOf(places, 'memory');
  const pids = placeOf(places, 'pids');
  const io = placeOf(places, 'io');
  const unified = placeOf(places, 'unified');
  return {
    cpu:
      account?.hierarchy.version === 1 ? cpuStatsV1(account.directory, cpu?.directory) : cpuStatsV2(account?.directory),
    memory: memory && (memory.hierarchy.version === 1 ? memoryStatsV1 : memoryStatsV2)(memory.directory),
    pids: pids && pidsStats(pids.directory),
    io: io && (io.hierarchy.version === 1 ? ioStatsV1 : ioStatsV2)(io.directory),
    pressure: unified && pressureStats(unified.directory),
  };
}

/** The count of OOM kills alone, in one read: what to ask when a container has ended. */
export function readOomKills(places: readonly Place[]): number {
  const memory = placeOf(places, 'memory');
  if (memory === undefined) return 0;
  return memory.hierarchy.version === 1 ? oomKillsV1(memory.directory) : oomKillsV2(memory.directory);
}

function pidsStats(directory: string): PidsStats | undefined {
  const current = readControlIfPresent(`${directory}/pids.current`);
  if (current === undefined) return undefined;
  const limit = readControlIfPresent(`${directory}/pids.max`);
  return { current: Number(current), limit: limit === undefined ? undefined : parseLimit(limit) };
}
