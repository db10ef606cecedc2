// The samples of what the agent knows and is: sources, workloads, its own process. Pure, but for the look at its own process.
import { readdirSync, readFileSync } from 'node:fs';
import { arch, release } from 'node:os';

import type { Condition } from '../reconcile/status.ts';
import type { WorkloadStatus } from '../reconcile/workloads.ts';
import type { Snapshot } from './container-snapshot.ts';
import type { StateMetricName } from './metrics-catalog.ts';
import type { Sample } from './snapshot-metric.ts';

export type SourceState = {
  readonly name: string;
  readonly kind: 'directory' | 'git';
  /** Undefined before the first. */
  readonly revision: string | undefined;
  /** Milliseconds since the epoch. */
  readonly lastSuccess: number | undefined;
};

export type AgentState = {
  readonly version: string;
  readonly sources: readonly SourceState[];
  readonly workloads: readonly WorkloadStatus[];
  readonly imageStoreBytes: number | undefined;
};

export type StateSamples = Readonly<Record<StateMetricName, readonly Sample[]>>;

const MS = 1000;
const MICROSECONDS = 1e6;

/** The samples of what is there now: containers, images, workloads and their conditions. Pure. */
export function stateSamples(state: AgentState, snapshot: Snapshot, process: ProcessFacts): StateSamples {
  const declared = state.workloads.filter(({ source }) => source !== undefined);
  return {
    berth_build_info: [{ value: 1, labels: { version: state.version, ...process.build } }],
    berth_containers: (['running', 'created', 'exited'] as const).map((name) => ({
      value: snapshot.containers.filter((container) => container.state === name).length,
      labels: { state: name },
    })),
    berth_workload_info: declared.map((status) => ({
      value: 1,
      labels: { ...workloadLabels(status), source: status.source ?? '', revision: status.revision ?? '' },
    })),
    berth_workload_condition: state.workloads.flatMap((status) =>
      status.conditions.flatMap((condition) => conditionSamples(status, condition)),
    ),
    berth_source_info: state.sources.map(({ name, kind, revision = '' }) => ({
      value: 1,
      labels: { source: name, kind, revision },
    })),
    berth_source_last_success_timestamp_seconds: state.sources.flatMap(({ name, lastSuccess }) =>
      lastSuccess === undefined ? [] : [{ value: lastSuccess / MS, labels: { source: name } }],
    ),
    berth_image_store_bytes: one(state.imageStoreBytes),
    ...processSamples(process),
  };
}

export type ProcessFacts = {
  readonly build: { readonly node: string; readonly arch: string; readonly kernel: string };
  readonly cpuSeconds: { readonly user: number; readonly system: number };
  readonly startedAt: number;
  readonly memory: Pick<NodeJS.MemoryUsage, 'rss' | 'heapTotal' | 'heapUsed' | 'external'>;
  readonly openDescriptors: number;
  readonly writtenBytes: number | undefined;
};

/** What this process is and uses. */
export function readProcessFacts(): ProcessFacts {
  const { user, system } = process.cpuUsage();
  return {
    build: { node: process.versions.node, arch: arch(), kernel: release() },
    cpuSeconds: { user: user / MICROSECONDS, system: system / MICROSECONDS },
    startedAt: performance.timeOrigin,
    memory: process.memoryUsage(),
    openDescriptors: readdirSync('/proc/self/fd').length,
    writtenBytes: writtenBytes(),
  };
}

/** proc_pid_io(5): bytes that this process caused to be sent to a disk. Undefined on kernels built without. */
function writtenBytes(): number | undefined {
  try {
    const written = /^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1];
    return written === undefined ? undefined : Number(written);
  } catch {
    return undefined;
  }
}

function processSamples({ build, cpuSeconds, startedAt, memory, openDescriptors, writtenBytes }: ProcessFacts) {
  return {
    berth_disk_written_bytes_total: one(writtenBytes),
    process_cpu_user_seconds_total: one(cpuSeconds.user),
    process_cpu_system_seconds_total: one(cpuSeconds.system),
    process_cpu_seconds_total: one(cpuSeconds.user + cpuSeconds.system),
    process_start_time_seconds: one(Math.round(startedAt / MS)),
    process_resident_memory_bytes: one(memory.rss),
    process_open_fds: one(openDescriptors),
    nodejs_heap_size_total_bytes: one(memory.heapTotal),
    nodejs_heap_size_used_bytes: one(memory.heapUsed),
    nodejs_external_memory_bytes: one(memory.external),
    nodejs_version_info: [{ value: 1, labels: { version: `v${build.node}` } }],
  };
}

function conditionSamples(status: WorkloadStatus, condition: Condition): Sample[] {
  return (['True', 'False'] as const).map((one) => ({
    value: condition.status === one ? 1 : 0,
    labels: { ...workloadLabels(status), type: condition.type, status: one },
  }));
}

function workloadLabels({ workload: { kind, namespace, name } }: WorkloadStatus) {
  return { kind, namespace, workload: name };
}

function one(value: number | undefined): Sample[] {
  return value === undefined ? [] : [{ value }];
}
