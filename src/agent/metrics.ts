// /metrics: the registry, and what fills it.
import Registry from 'prom-client/lib/registry.js';

import type { Snapshot } from './container-snapshot.ts';
import {
  CONTAINER_METRICS,
  KUBE_METRICS,
  MACHINE_METRICS,
  STATE_METRICS,
  type MetricDefinition,
} from './metrics-catalog.ts';
import { containerSamples, newestOfEach } from './metrics-containers.ts';
import { eventMetrics, type EventMetrics } from './metrics-events.ts';
import { stateSamples, type AgentState, type ProcessFacts } from './metrics-state.ts';
import { registerSnapshot, type Sample } from './snapshot-metric.ts';

export type MetricsOptions = {
  readonly takeSnapshot: () => Snapshot;
  readonly agentState: () => AgentState;
  readonly processFacts: () => ProcessFacts;
};

export type Metrics = EventMetrics & {
  readonly contentType: string;
  /** The exposition format. Scrapes at the same time get the same text. */
  readonly scrape: () => Promise<string>;
  /** Names of all metrics, for the page that documents them. */
  readonly names: () => string[];
};

/** Register every metric of the catalogue. Nothing is read before the first scrape. */
export function openMetrics({ takeSnapshot, agentState, processFacts }: MetricsOptions): Metrics {
  const registry = new Registry();
  let samples: ReadonlyMap<string, readonly Sample[]> = new Map();
  const definitions: Readonly<Record<string, MetricDefinition>> = {
    ...STATE_METRICS,
    ...CONTAINER_METRICS,
    ...MACHINE_METRICS,
    ...KUBE_METRICS,
  };
  for (const [name, { help, type }] of Object.entries(definitions)) {
    if (type === 'histogram') continue;
    registerSnapshot(registry, { name, help, type, collect: () => samples.get(name) ?? [] });
  }
  const events = eventMetrics(registry);
  let running: Promise<string> | undefined;
  const scrape = async (): Promise<string> => {
    const snapshot = takeSnapshot();
    samples = allSamples(snapshot, agentState(), processFacts());
    return registry.metrics();
  };
  return {
    ...events,
    contentType: registry.contentType,
    names: () => registry.getMetricsAsArray().map(({ name }) => name),
    scrape: () => {
      running ??= scrape().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

function allSamples(
  snapshot: Snapshot,
  state: AgentState,
  process: ProcessFacts,
): ReadonlyMap<string, readonly Sample[]> {
  const { cpuCores, memoryBytes, swapBytes } = snapshot.machine;
  return new Map<string, readonly Sample[]>([
    ...containerSamples(snapshot),
    ...Object.entries(stateSamples(state, snapshot, process)),
    ['machine_cpu_cores', [{ value: cpuCores }]],
    ['machine_memory_bytes', [{ value: memoryBytes }]],
    ['machine_swap_bytes', [{ value: swapBytes }]],
    ['kube_pod_container_status_restarts_total', restartSamples(snapshot)],
  ]);
}

function restartSamples({ containers }: Snapshot): Sample[] {
  return newestOfEach(containers).map(({ identity: { namespace, pod, container, podUid: uid, restarts } }) => ({
    value: restarts,
    labels: { namespace, pod, container, uid },
  }));
}
