// Reading the files of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst).
import { parseFlatKeyed, parseLimit, readControlIfPresent } from './control-file.ts';
import type { CpuStats, IoDeviceStats, MemoryStats } from './stats.ts';

/** Processor use on v2, from cpu.stat. Undefined when the cgroup is gone. */
export function cpuStatsV2(directory: string | undefined): CpuStats | undefined {
  const text = directory === undefined ? undefined : readControlIfPresent(`${directory}/cpu.stat`);
  if (text === undefined) return undefined;
  const stat = parseFlatKeyed(text);
  const ns = (name: string): number => (stat.get(name) ?? 0) * 1000;
  return {
    usageNs: ns('usage_usec'),
    userNs: ns('user_usec'),
    systemNs: ns('system_usec'),
    periods: stat.get('nr_periods') ?? 0,
    throttledPeriods: stat.get('nr_throttled') ?? 0,
    throttledNs: ns('throttled_usec'),
  };
}

/** Memory use on v2, in bytes. Undefined when the cgroup is gone. */
export function memoryStatsV2(directory: string): MemoryStats | undefined {
  const usage = readControlIfPresent(`${directory}/memory.current`);
  if (usage === undefined) return undefined;
  const stat = parseFlatKeyed(readControlIfPresent(`${directory}/memory.stat`) ?? '');
  const events = parseFlatKeyed(readControlIfPresent(`${directory}/memory.events`) ?? '');
  const count = (name: string): number => stat.get(name) ?? 0;
  const peak = readControlIfPresent(`${directory}/memory.peak`);
  return {
    usageBytes: Number(usage),
    workingSetBytes: Math.max(0, Number(usage) - count('inactive_file')),
    rssBytes: count('anon'),
    cacheBytes: count('file'),
    mappedFileBytes: count('file_mapped'),
    swapBytes: Number(readControlIfPresent(`${directory}/memory.swap.current`) ?? 0),
    peakBytes: peak === undefined ? undefined : Number(peak),
    limitBytes: parseLimit(readControlIfPresent(`${directory}/memory.max`) ?? 'max'),
    failures: events.get('max') ?? 0,
    oomKills: events.get('oom_kill') ?? 0,
    pageFaults: count('pgfault'),
    majorPageFaults: count('pgmajfault'),
  };
}

/** How many processes the OOM killer ended, from memory.events. */
export function oomKillsV2(directory: string): number {
  return parseFlatKeyed(readControlIfPresent(`${directory}/memory.events`) ?? '').get('oom_kill') ?? 0;
}

/** Lines of `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. A device without any I/O may have no keys. */
export function ioStatsV2(directory: string): IoDeviceStats[] | undefined {
  const text = readControlIfPresent(`${directory}/io.stat`);
  if (text === undefined) return undefined;
  return [...text.matchAll(/^(\d+):(\d+) (.*=.*)$/gm)].map(([, major, minor, pairs = '']) => {
    const values = new Map(pairs.split(' ').map((pair) => pair.split('=') as [string, string]));
    const count = (key: string): number => Number(values.get(key) ?? 0);
    return {
      major: Number(major),
      minor: Number(minor),
      readBytes: count('rbytes'),
      writeBytes: count('wbytes'),
      readOperations: count('rios'),
      writeOperations: count('wios'),
    };
  });
}
