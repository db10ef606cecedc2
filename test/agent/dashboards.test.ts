// Dashboards and alerts ask for metrics that there are.
import { readFileSync } from 'node:fs';

import test from 'ava';
import { parse } from 'yaml';

import {
  CONTAINER_METRICS,
  EVENT_METRICS,
  KUBE_METRICS,
  MACHINE_METRICS,
  STATE_METRICS,
} from '../../src/agent/metrics-catalog.ts';

const NAMES = new Set([
  ...[CONTAINER_METRICS, EVENT_METRICS, KUBE_METRICS, MACHINE_METRICS, STATE_METRICS].flatMap(Object.keys),
  // Prometheus itself says whether a scrape worked.
  'up',
]);

const read = (path: string): string => readFileSync(new URL(`../../manifests/${path}`, import.meta.url), 'utf8');

/** Metric names in an expression: words before `{`, `[` or an operator, that no function, label or keyword is. */
function metricsIn(expression: string): string[] {
  const bare = expression.replaceAll(/"[^"]*"/g, '""').replaceAll(/\b(by|without)\s*\([^)]*\)/g, '');
  const words = bare.replaceAll(/\{[^}]*\}/g, '').matchAll(/\b([a-z_][a-z0-9_]*)\b(?!\s*\()/g);
  return [...words]
    .map(([, name = '']) => name.replace(/_bucket$/, ''))
    .filter((name) => name.includes('_') || name === 'up');
}

type Dashboard = { readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[] };
type Rules = {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
};

test('every panel of the dashboard asks for metrics of the catalogue', (t) => {
  const { panels } = JSON.parse(read('grafana/berth.json')) as Dashboard;
  const asked = panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsIn(expr)));
  const unknown = asked.filter((name) => !NAMES.has(name) && name !== '__rate_interval');
  t.deepEqual(unknown, []);
  t.true(asked.length >= panels.length);
});

test('every alert asks for metrics of the catalogue', (t) => {
  const { groups } = parse(read('prometheus/berth.rules.yml')) as Rules;
  const rules = groups.flatMap((group) => group.rules);
  t.true(rules.length > 10);
  for (const { alert, expr } of rules) {
    const asked = metricsIn(expr);
    t.true(asked.length > 0, alert);
    t.deepEqual(
      asked.filter((name) => !NAMES.has(name)),
      [],
      alert,
    );
  }
});
