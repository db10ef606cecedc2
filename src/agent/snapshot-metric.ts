// A metric whose values are read when Prometheus asks: the present state, not a running count kept by us. prom-client's own gauges
// hash every label set, which for thousands of series would block the agent for tens of milliseconds a scrape.
import type { Metric, Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

export type Sample = {
  readonly value: number;
  readonly labels?: Labels;
  /** Labels that many samples have in common, as one object: formatted once a scrape. */
  readonly sharedLabels?: Labels;
};

export type SnapshotMetricOptions = {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly collect: () => readonly Sample[];
};

/** Let `registry` ask `collect` at every scrape. */
export function registerSnapshot(registry: Registry, { name, help, type, collect }: SnapshotMetricOptions): void {
  const metric = {
    name,
    help,
    get: () => Promise.resolve({ name, help, type, aggregator: 'sum', values: collect() }),
    reset: () => {},
  };
  // The registry only ever calls `get` and `reset`, and reads `name`; its type asks for one of its own classes.
  registry.registerMetric(metric as unknown as Metric);
}
