// Snapshot → the samples of every `container_*` metric, with the labels and the omissions that dashboards rely on. Pure.
import type { ContainerSnapshot, MachineSnapshot, NetworkSnapshot, Snapshot } from './container-snapshot.ts';
import type { ContainerMetricName } from './metrics-catalog.ts';
import type { Labels, Sample } from './snapshot-metric.ts';
import type { CpuStats, MemoryStats, PressureStats } from '../linux/cgroup/stats.ts';

export type ContainerSamples = ReadonlyMap<ContainerMetricName, readonly Sample[]>;

const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;
const MILLISECONDS = 1e3;

/** All samples of one scrape, by metric. */
export function containerSamples(snapshot: Snapshot): ContainerSamples {
  const samples = new Samples();
  for (const container of snapshot.containers) {
    if (container.state === 'running') addRunning(samples, container, snapshot);
  }
  for (const { identity, labels } of newestOfEach(snapshot.containers)) {
    const { namespace = '', pod = '', container = '', name = '' } = labels;
    samples.add('container_restarts_total', { namespace, pod, container, name }, identity.restarts);
  }
  for (const network of snapshot.networks) addNetwork(samples, network);
  for (const { labels, lastSeen } of snapshot.missing)
    samples.add('container_last_seen', labels, lastSeen / MILLISECONDS);
  addMachine(samples, snapshot.machine);
  const failed = snapshot.containers.some((container) => container.failed);
  samples.add('container_scrape_error', {}, failed ? 1 : 0);
  return samples.all;
}

class Samples {
  readonly all = new Map<ContainerMetricName, Sample[]>();

  add(name: ContainerMetricName, sharedLabels: Labels, value: number | undefined, labels?: Labels): void {
    if (value === undefined) return;
    const list = this.all.get(name) ?? [];
    list.push(labels === undefined ? { value, sharedLabels } : { value, sharedLabels, labels });
    this.all.set(name, list);
  }
}

/**
 * The newest container of each name that a source keeps: a container that starts again is another one with another id, and
 * a count that goes on must not have labels that change.
 */
export function newestOfEach(containers: readonly ContainerSnapshot[]): ContainerSnapshot[] {
  const newest = new Map<string, ContainerSnapshot>();
  for (const one of containers.filter(({ identity }) => identity.owner !== 'run')) {
    const { namespace, pod, container } = one.identity;
    const key = `${namespace}/${pod}/${container}`;
    const before = newest.get(key);
    if (before === undefined || before.startedAt <= one.startedAt) newest.set(key, one);
  }
  return [...newest.values()];
}

function addRunning(samples: Samples, container: ContainerSnapshot, { now, machine }: Snapshot): void {
  const { labels, startedAt, stats, limits, processes, writableBytes, isReady } = container;
  samples.add('container_last_seen', labels, now / MILLISECONDS);
  samples.add('container_start_time_seconds', labels, startedAt / MILLISECONDS);
  samples.add('container_health_state', labels, isReady === undefined ? -1 : Number(isReady));
  addLimits(samples, container);
  if (stats?.cpu !== undefined) addCpu(samples, labels, stats.cpu, limits.cpuQuotaUs !== undefined);
  if (stats?.memory !== undefined) addMemory(samples, labels, stats.memory);
  if (stats?.pressure !== undefined) addPressure(samples, labels, stats.pressure);
  samples.add('container_processes', labels, processes);
  samples.add('container_threads', labels, stats?.pids?.current);
  samples.add('container_threads_max', labels, stats?.pids?.limit);
  for (const { major, minor, ...io } of stats?.io ?? []) {
    const device = { device: machine.devices.get(`${major}:${minor}`) ?? `${major}:${minor}` };
    samples.add('container_fs_reads_bytes_total', labels, io.readBytes, device);
    samples.add('container_fs_writes_bytes_total', labels, io.writeBytes, device);
    samples.add('container_fs_reads_total', labels, io.readOperations, device);
    samples.add('container_fs_writes_total', labels, io.writeOperations, device);
  }
  const { device, sizeBytes } = machine.disk;
  samples.add('container_fs_usage_bytes', labels, writableBytes, { device });
  samples.add('container_fs_limit_bytes', labels, sizeBytes, { device });
}

/** Rules compare a memory limit with 0 for "unlimited", and expect no quota at all where there is none. */
function addLimits(samples: Samples, { labels, limits }: ContainerSnapshot): void {
  const { cpuQuotaUs, cpuPeriodUs, cpuShares, memoryBytes = 0, reservationBytes = 0, swapBytes = 0 } = limits;
  samples.add('container_spec_cpu_quota', labels, cpuQuotaUs);
  samples.add('container_spec_cpu_period', labels, cpuPeriodUs);
  samples.add('container_spec_cpu_shares', labels, cpuShares);
  samples.add('container_spec_memory_limit_bytes', labels, memoryBytes);
  samples.add('container_spec_memory_reservation_limit_bytes', labels, reservationBytes);
  samples.add('container_spec_memory_swap_limit_bytes', labels, swapBytes);
}

function addCpu(samples: Samples, labels: Labels, cpu: CpuStats, limited: boolean): void {
  samples.add('container_cpu_usage_seconds_total', labels, cpu.usageNs / NANOSECONDS, { cpu: 'total' });
  samples.add('container_cpu_user_seconds_total', labels, cpu.userNs / NANOSECONDS);
  samples.add('container_cpu_system_seconds_total', labels, cpu.systemNs / NANOSECONDS);
  if (!limited) return;
  samples.add('container_cpu_cfs_periods_total', labels, cpu.periods);
  samples.add('container_cpu_cfs_throttled_periods_total', labels, cpu.throttledPeriods);
  samples.add('container_cpu_cfs_throttled_seconds_total', labels, cpu.throttledNs / NANOSECONDS);
}

function addMemory(samples: Samples, labels: Labels, memory: MemoryStats): void {
  samples.add('container_memory_usage_bytes', labels, memory.usageBytes);
  samples.add('container_memory_working_set_bytes', labels, memory.workingSetBytes);
  samples.add('container_memory_rss', labels, memory.rssBytes);
  samples.add('container_memory_cache', labels, memory.cacheBytes);
  samples.add('container_memory_mapped_file', labels, memory.mappedFileBytes);
  samples.add('container_memory_swap', labels, memory.swapBytes);
  samples.add('container_memory_max_usage_bytes', labels, memory.peakBytes);
  samples.add('container_memory_failcnt', labels, memory.failures);
  samples.add('container_oom_events_total', labels, memory.oomKills);
  const faults = { pgfault: memory.pageFaults, pgmajfault: memory.majorPageFaults };
  for (const [failure_type, count] of Object.entries(faults)) {
    samples.add('container_memory_failures_total', labels, count, { failure_type, scope: 'container' });
  }
}

function addPressure(samples: Samples, labels: Labels, pressure: PressureStats): void {
  for (const resource of ['cpu', 'memory', 'io'] as const) {
    const { waitingUs, stalledUs } = pressure[resource];
    samples.add(`container_pressure_${resource}_waiting_seconds_total`, labels, waitingUs / MICROSECONDS);
    samples.add(`container_pressure_${resource}_stalled_seconds_total`, labels, stalledUs / MICROSECONDS);
  }
}

function addNetwork(samples: Samples, { labels, interfaces }: NetworkSnapshot): void {
  for (const { name, ...counts } of interfaces) {
    for (const direction of ['receive', 'transmit'] as const) {
      const { bytes, packets, errors, dropped } = counts[direction];
      const own = { interface: name };
      samples.add(`container_network_${direction}_bytes_total`, labels, bytes, own);
      samples.add(`container_network_${direction}_packets_total`, labels, packets, own);
      samples.add(`container_network_${direction}_errors_total`, labels, errors, own);
      samples.add(`container_network_${direction}_packets_dropped_total`, labels, dropped, own);
    }
  }
}

/** The machine as cAdvisor's root cgroup: `id="/"`, and never a name or an image, or boards would count all twice. */
function addMachine(samples: Samples, machine: MachineSnapshot): void {
  const labels = { id: '/' };
  const { cpuSeconds, memoryBytes, memoryFreeBytes, memoryAvailableBytes, disk } = machine;
  const total = cpuSeconds.user + cpuSeconds.system;
  samples.add('container_cpu_usage_seconds_total', labels, total, { cpu: 'total' });
  samples.add('container_cpu_user_seconds_total', labels, cpuSeconds.user);
  samples.add('container_cpu_system_seconds_total', labels, cpuSeconds.system);
  samples.add('container_memory_usage_bytes', labels, memoryBytes - memoryFreeBytes);
  samples.add('container_memory_working_set_bytes', labels, memoryBytes - memoryAvailableBytes);
  samples.add('container_spec_memory_limit_bytes', labels, memoryBytes);
  samples.add('container_fs_usage_bytes', labels, disk.usedBytes, { device: disk.device });
  samples.add('container_fs_limit_bytes', labels, disk.sizeBytes, { device: disk.device });
  addNetwork(samples, { labels, interfaces: machine.interfaces });
}
