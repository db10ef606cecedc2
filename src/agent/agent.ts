// The agent's parts, put together: sources and machine around the reconciler, and what hears of its outcomes.
import { join } from 'node:path';

import type { Host } from '../oci/host.ts';
import { Journal } from '../reconcile/journal.ts';
import { journalEntry } from '../reconcile/journal-entry.ts';
import { Reconciler } from '../reconcile/reconciler.ts';
import { RecordKeeper } from '../reconcile/record-keeper.ts';
import type { Report } from '../reconcile/report.ts';
import { systemClock } from '../reconcile/system-clock.ts';
import type { ContainerIdentity } from '../oci/pod/labels.ts';
import { loadManifests } from '../spec/load.ts';
import type { AgentConfig } from './config.ts';
import { DiskUsage } from './disk-usage.ts';
import { EventFeed } from './event-feed.ts';
import { LastSeen } from './last-seen.ts';
import type { Log } from './log.ts';
import { logLine } from './log-report.ts';
import { healthReport, hookReport } from './health-report.ts';
import { openMachine, type Machine } from './machine/machine.ts';
import { workloadOf } from './machine/observer.ts';
import { openMetrics, type Metrics } from './metrics.ts';
import { readProcessFacts } from './metrics-state.ts';
import { ServiceKeeper } from './services/service-keeper.ts';
import { openSources, type SourceHook } from './open-sources.ts';
import { SourceBoard } from './source-board.ts';
import { snapshotReader } from './take-snapshot.ts';
import { berthVersion } from './version.ts';

export type Agent = {
  readonly reconciler: Reconciler;
  readonly machine: Machine;
  readonly metrics: Metrics;
  readonly sources: SourceBoard;
  readonly hooks: readonly SourceHook[];
  readonly events: EventFeed;
  /** Fulfilled when what is still to be written is written. */
  readonly flushed: () => Promise<void>;
};

/** Build the agent. Nothing runs yet, and nothing is read but what `host` has. Throws an Error about a bad source. */
export function buildAgent(host: Host, config: AgentConfig, log: Log): Agent {
  const { root } = config.places;
  const journal = new Journal({
    directory: join(root, 'journal'),
    onError: (error) => log.error('journal cannot be written', { error: String(error) }),
  });
  const { sources, hooks } = openSources(config);
  const board = new SourceBoard(sources.map(({ source: { name }, kind }) => ({ name, kind })));
  const events = new EventFeed();
  const report = (one: Report): void => {
    const now = Date.now();
    const { level, message, fields } = logLine(one);
    log[level](message, fields);
    board.note(one, now);
    metrics.report(one);
    services.look();
    const entry = journalEntry(one, now);
    if (entry === undefined) return;
    journal.append(entry);
    events.publish(entry);
  };
  const machine: Machine = openMachine(host, {
    pulls: { registry: config.registry, onProgress: (progress) => metrics.pullProgress(progress) },
    onExit: (workload) => {
      services.look();
      reconciler.look(workload);
    },
    health: {
      onOutcome: (identity, kind, { result }) => metrics.probe(identity, kind, result),
      onChange: (identity, health) => {
        const changed = healthReport(identity, health);
        if (changed !== undefined) report(changed);
        services.look();
        reconciler.look(workloadOf(identity));
      },
    },
    onHookFailed: (identity, error) => report(hookReport(identity, error)),
    onError: (error) => log.error('watching a container failed', { error: String(error) }),
  });
  const reconciler: Reconciler = new Reconciler({
    sources: sources.map(({ source }) => source),
    loadManifests,
    effects: machine.effects,
    observer: machine.observer,
    images: machine.images,
    record: new RecordKeeper(join(root, 'desired'), (error) =>
      report({ event: 'recordFailed', message: error instanceof Error ? error.message : String(error) }),
    ),
    report,
    clock: systemClock,
    allowEmpty: config.allowEmpty,
  });
  const services = new ServiceKeeper(host, {
    facts: () => ({
      declared: reconciler.declared(),
      isComplete: board.silent().length === 0,
      healthOf: (id) => machine.health.health(id),
    }),
    onError: (error) => log.error('services cannot be brought about', { error: String(error) }),
  });
  const metrics = buildMetrics(host, reconciler, { board, isReady: (id) => machine.health.health(id)?.isReady });
  const flushed = async (): Promise<void> => {
    await services.settled();
    await journal.flushed();
  };
  return { reconciler, machine, metrics, sources: board, hooks, events, flushed };
}

type MetricsSources = { readonly board: SourceBoard; readonly isReady: (id: string) => boolean | undefined };

function buildMetrics(host: Host, reconciler: Reconciler, { board, isReady }: MetricsSources): Metrics {
  const version = berthVersion();
  const disk = new DiskUsage();
  const blobs = join(host.content.directory, 'blobs');
  return openMetrics({
    takeSnapshot: snapshotReader({
      host,
      lastSeen: new LastSeen(),
      disk,
      isReady,
      isWanted: (identity) => isWanted(reconciler, identity),
      now: () => Date.now(),
    }),
    agentState: () => ({
      version,
      sources: board.rows(),
      workloads: reconciler.status(),
      imageStoreBytes: disk.bytes(blobs, Date.now()),
    }),
    processFacts: readProcessFacts,
  });
}

/** A source declares its workload, and not all is as declared: a Job that ended well is not missed. */
function isWanted(reconciler: Reconciler, { owner, namespace, workload }: ContainerIdentity): boolean {
  const status = reconciler
    .status()
    .find(({ workload: id }) => id.kind === owner && id.namespace === namespace && id.name === workload);
  if (status?.source === undefined) return false;
  return status.conditions.some(({ type, status: one }) => type === 'Ready' && one === 'False');
}
