// docs/metrics.md is a promise: it and the registry must name the same metrics.
import { readFileSync } from 'node:fs';

import test from 'ava';

import {
  CONTAINER_METRICS,
  EVENT_METRICS,
  KUBE_METRICS,
  MACHINE_METRICS,
  STATE_METRICS,
  type MetricDefinition,
} from '../../src/agent/metrics-catalog.ts';
import { sampleMetrics } from './sample-metrics.ts';
import { sampleSnapshot } from './sample-snapshot.ts';

const PAGE = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
const ROWS = [...PAGE.matchAll(/^\| `(?<name>\w+)` +\| (?<type>\w+) +\| (?<labels>[^|]*?) +\|/gm)].map(
  ({ groups = {} }) => ({
    name: groups['name'] ?? '',
    type: groups['type'],
    labels: [...(groups['labels'] ?? '').matchAll(/`(\w+)`/g)].map(([, label]) => label),
  }),
);
const CATALOG: Readonly<Record<string, MetricDefinition>> = {
  ...CONTAINER_METRICS,
  ...MACHINE_METRICS,
  ...KUBE_METRICS,
  ...STATE_METRICS,
  ...EVENT_METRICS,
};

test('the page lists every metric of the registry, and no other', (t) => {
  const registered = sampleMetrics(sampleSnapshot()).names();
  t.true(registered.length > 80);
  t.deepEqual(ROWS.map(({ name }) => name).sort(), [...registered].sort());
});

test('the page gives every metric the type and the labels that it has', (t) => {
  for (const { name, type, labels } of ROWS) {
    t.is(type, CATALOG[name]?.type, name);
    t.deepEqual(labels, [...(CATALOG[name]?.labels ?? [])], name);
  }
});

test('counters end in _total, histograms in their unit', (t) => {
  // Names that cAdvisor chose, which dashboards ask for.
  const given = new Set(['container_memory_failcnt']);
  for (const [name, { type }] of Object.entries(CATALOG)) {
    if (type === 'counter' && !given.has(name)) t.true(name.endsWith('_total'), name);
    if (type === 'histogram') t.regex(name, /_(seconds|bytes)$/);
  }
});
