// Counters and histograms that grow as things happen: bumped from the reconciler's typed reports.
import type { Registry } from 'prom-client';
import Counter from 'prom-client/lib/counter.js';
import Histogram from 'prom-client/lib/histogram.js';

import { isOciError } from '../oci/error.ts';
import type { PullProgress } from '../oci/image/bring-image.ts';
import { parseReference } from '../oci/image/reference.ts';
import type { ContainerIdentity } from '../oci/pod/labels.ts';
import { START_PHASES, type PhaseListener } from '../oci/start-phase.ts';
import type { ProbeOutcome } from '../reconcile/probe-state.ts';
import type { Report } from '../reconcile/report.ts';
import type { ProbeKind } from '../spec/health.ts';
import { EVENT_METRICS } from './metrics-catalog.ts';

export type EventMetrics = {
  readonly report: (report: Report) => void;
  readonly pullProgress: (progress: PullProgress) => void;
  readonly eventLoopLag: (seconds: number) => void;
  readonly startPhase: PhaseListener;
  readonly probe: (identity: ContainerIdentity, kind: ProbeKind, result: ProbeOutcome['result']) => void;
};

const MS = 1000;
/** As the kubelet's prober_probe_total has them. */
const PROBE_LABELS = {
  startup: { probe_type: 'Startup' },
  readiness: { probe_type: 'Readiness' },
  liveness: { probe_type: 'Liveness' },
} as const;
const PROBE_RESULTS = { success: 'successful', failure: 'failed', error: 'unknown' } as const;
const RESULTS = ['success', 'retry', 'wait', 'stalled'] as const;

/** Register the metrics of events. Series whose labels are known beforehand begin at 0, so that `increase()` works. */
export function eventMetrics(registry: Registry): EventMetrics {
  const metrics = {
    fetches: counter(registry, 'berth_source_fetch_total'),
    sourceFailures: counter(registry, 'berth_source_failures_total'),
    looks: counter(registry, 'berth_reconcile_total'),
    lookSeconds: histogram(registry, 'berth_reconcile_duration_seconds'),
    steps: counter(registry, 'berth_step_total'),
    stepSeconds: histogram(registry, 'berth_step_duration_seconds'),
    pulls: counter(registry, 'berth_image_pull_total'),
    pullSeconds: histogram(registry, 'berth_image_pull_duration_seconds'),
    pullBytes: counter(registry, 'berth_image_pull_bytes_total'),
    imports: counter(registry, 'berth_image_import_total'),
    recordFailures: counter(registry, 'berth_record_failures_total'),
    lag: histogram(registry, 'berth_event_loop_lag_seconds'),
    phases: histogram(registry, 'berth_start_phase_duration_seconds'),
    probes: counter(registry, 'berth_probe_total'),
  };
  for (const result of RESULTS) metrics.looks.inc({ result }, 0);
  for (const phase of START_PHASES) metrics.phases.zero({ phase });
  for (const result of ['success', 'failure']) metrics.imports.inc({ result }, 0);
  return {
    report: (report) => count(metrics, report),
    pullProgress: pulledBytes(metrics.pullBytes),
    eventLoopLag: (seconds) => metrics.lag.observe(seconds),
    probe: ({ namespace, pod, podUid: pod_uid, container }, kind, result) =>
      metrics.probes.inc({ ...PROBE_LABELS[kind], result: PROBE_RESULTS[result], namespace, pod, container, pod_uid }),
    startPhase: (phase, durationMs) => metrics.phases.observe({ phase }, durationMs / MS),
  };
}

type Metrics = {
  readonly [
    K in 'fetches' | 'sourceFailures' | 'looks' | 'steps' | 'pulls' | 'pullBytes' | 'imports' | 'recordFailures'
  ]: Counter;
} & { readonly [K in 'lookSeconds' | 'stepSeconds' | 'pullSeconds' | 'lag' | 'phases']: Histogram };

function count(metrics: Metrics, report: Report): void {
  switch (report.event) {
    case 'revisionAccepted':
      return metrics.fetches.inc({ source: report.source, result: 'accepted' });
    case 'revisionRefused':
      return metrics.fetches.inc({ source: report.source, result: 'refused' });
    case 'sourceChecked':
      return metrics.fetches.inc({ source: report.source, result: 'unchanged' });
    case 'sourceFailed':
      metrics.sourceFailures.inc({ source: report.source, code: report.code });
      return metrics.fetches.inc({ source: report.source, result: 'failed' });
    case 'imageImported':
      return metrics.imports.inc({ result: 'success' });
    case 'imageImportFailed':
      return metrics.imports.inc({ result: 'failure' });
    case 'imagePulled':
      metrics.pulls.inc({ registry: registryOf(report.reference), result: 'success' });
      return metrics.pullSeconds.observe(report.durationMs / MS);
    case 'imagePullFailed':
      return metrics.pulls.inc({ registry: registryOf(report.reference), result: report.failure.class });
    case 'stepDone':
      metrics.steps.inc({ step: report.step, result: 'success' });
      return metrics.stepSeconds.observe({ step: report.step }, report.durationMs / MS);
    case 'stepFailed':
      return metrics.steps.inc({ step: report.step, result: report.failure.class });
    case 'looked':
      metrics.looks.inc({ result: report.result });
      return metrics.lookSeconds.observe(report.durationMs / MS);
    case 'lookFailed':
      return metrics.looks.inc({ result: report.failure.class });
    case 'recordFailed':
      return metrics.recordFailures.inc();
    case 'healthChanged':
    case 'hookFailed':
    case 'imageResolved':
    case 'imageUnresolved':
    case 'workloadConflict':
    case 'workloadGone':
  }
}

/** Progress is told as "so much of this blob by now": count what is new. */
function pulledBytes(counter: Counter): (progress: PullProgress) => void {
  const done = new Map<string, number>();
  return ({ reference, digest, phase, done: bytes, total }) => {
    if (phase !== 'download') return;
    const key = `${reference} ${digest}`;
    const before = done.get(key) ?? 0;
    if (bytes > before) counter.inc({ registry: registryOf(reference) }, bytes - before);
    // Begun again from the start after damage, or done: the next pull of this blob counts anew.
    if (bytes >= total) done.delete(key);
    else done.set(key, bytes);
  };
}

/** A closed set in practice: the registries that manifests name. */
function registryOf(reference: string): string {
  try {
    return parseReference(reference).registry;
  } catch (error) {
    if (isOciError(error, 'REFERENCE_INVALID')) return 'unknown';
    throw error;
  }
}

type EventMetricName = keyof typeof EVENT_METRICS;

function options(registry: Registry, name: EventMetricName) {
  const definition = EVENT_METRICS[name];
  const labelNames = 'labels' in definition ? [...definition.labels] : [];
  return { name, help: definition.help, labelNames, registers: [registry] };
}

function counter(registry: Registry, name: EventMetricName): Counter {
  return new Counter(options(registry, name));
}

function histogram(registry: Registry, name: EventMetricName): Histogram {
  const definition = EVENT_METRICS[name];
  return new Histogram({
    ...options(registry, name),
    ...('buckets' in definition ? { buckets: [...definition.buckets] } : {}),
  });
}
