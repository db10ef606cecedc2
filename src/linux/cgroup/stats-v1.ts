// Reading the files of cgroup v1 (Documentation/admin-guide/cgroup-v1).
import { parseFlatKeyed, parseLimit, readControlIfPresent } from './control-file.ts';
import type { CpuStats, IoDeviceStats, MemoryStats } from './stats.ts';

// cpuacct.stat counts in USER_HZ, which is 100 on every machine Linux runs on.
const NS_PER_TICK = 10_000_000;

/** Processor use on v1. Undefined when the cgroup is gone. */
export function cpuStatsV1(account: string, cpu: string | undefined): CpuStats | undefined {
  const usage = readControlIfPresent(`${account}/cpuacct.usage`);
  if (usage === undefined) return undefined;
  const split = parseFlatKeyed(readControlIfPresent(`${account}/cpuacct.stat`) ?? '');
  const quota = parseFlatKeyed((cpu === undefined ? undefined : readControlIfPresent(`${cpu}/cpu.stat`)) ?? '');
  return {
    usageNs: Number(usage),
    userNs: (split.get('user') ?? 0) * NS_PER_TICK,
    systemNs: (split.get('system') ?? 0) * NS_PER_TICK,
    periods: quota.get('nr_periods') ?? 0,
    throttledPeriods: quota.get('nr_throttled') ?? 0,
    throttledNs: quota.get('throttled_time') ?? 0,
  };
}

/** `total_…` includes sub-cgroups, as everything does on v2. */
export function memoryStatsV1(directory: string): MemoryStats | undefined {
  const usage = readControlIfPresent(`${directory}/memory.usage_in_bytes`);
  if (usage === undefined) return undefined;
  const stat = parseFlatKeyed(readControlIfPresent(`${directory}/memory.stat`) ?? '');
  const count = (name: string): number => stat.get(name) ?? 0;
  const peak = readControlIfPresent(`${directory}/memory.max_usage_in_bytes`);
  return {
    usageBytes: Number(usage),
    workingSetBytes: Math.max(0, Number(usage) - count('total_inactive_file')),
    rssBytes: count('total_rss'),
    cacheBytes: count('total_cache'),
    mappedFileBytes: count('total_mapped_file'),
    swapBytes: count('total_swap'),
    peakBytes: peak === undefined ? undefined : Number(peak),
    limitBytes: parseLimit(readControlIfPresent(`${directory}/memory.limit_in_bytes`) ?? 'max'),
    failures: failuresV1(directory),
    oomKills: oomKillsV1(directory),
    pageFaults: count('total_pgfault'),
    majorPageFaults: count('total_pgmajfault'),
  };
}

/**
 * Where memory and swap together have the same limit as memory, the kernel meets that one alone. Old kernels count it in
 * memsw.failcnt, 6.18 not at all.
 */
function failuresV1(directory: string): number {
  const counts = ['memory.failcnt', 'memory.memsw.failcnt'].map((file) => readControlIfPresent(`${directory}/${file}`));
  return counts.reduce((sum, count) => sum + Number(count ?? 0), 0);
}

/** Since 4.13. Counts kills in this cgroup only, not in sub-cgroups. */
export function oomKillsV1(directory: string): number {
  return parseFlatKeyed(readControlIfPresent(`${directory}/memory.oom_control`) ?? '').get('oom_kill') ?? 0;
}

/** Lines of `8:0 Read 4096`, once for bytes and once for operations, and a line `Total 4096`. */
export function ioStatsV1(directory: string): IoDeviceStats[] | undefined {
  const bytes = readControlIfPresent(`${directory}/blkio.throttle.io_service_bytes_recursive`);
  if (bytes === undefined) return undefined;
  const operations = readControlIfPresent(`${directory}/blkio.throttle.io_serviced_recursive`) ?? '';
  const devices = new Map<string, Record<string, number>>();
  for (const [text, unit] of [[bytes, 'Bytes'] as const, [operations, 'Operations'] as const]) {
    for (const match of text.matchAll(/^(\d+:\d+) (Read|Write) (\d+)$/gm)) {
      const [, device = '', direction = '', value = ''] = match;
      const values = devices.get(device) ?? {};
      values[direction + unit] = Number(value);
      devices.set(device, values);
    }
  }
  return [...devices].map(([device, values]) => {
    const [major = 0, minor = 0] = device.split(':').map(Number);
    return {
      major,
      minor,
      readBytes: values['ReadBytes'] ?? 0,
      writeBytes: values['WriteBytes'] ?? 0,
      readOperations: values['ReadOperations'] ?? 0,
      writeOperations: values['WriteOperations'] ?? 0,
    };
  });
}
