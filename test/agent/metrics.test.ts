import test from 'ava';

import type { Report } from '../../src/reconcile/report.ts';
import { NO_LIMITS } from '../../src/agent/container-snapshot.ts';
import { assertGolden } from '../assert-golden.ts';
import { linesOf, sampleMetrics } from './sample-metrics.ts';
import { NOW, sampleContainer, sampleSnapshot } from './sample-snapshot.ts';

const LIMITED = { ...NO_LIMITS, cpuQuotaUs: 50_000, cpuPeriodUs: 100_000, cpuShares: 512, memoryBytes: 64_000_000 };

function machine() {
  const limited = sampleContainer('1111', { limits: LIMITED });
  const [job, run] = [
    sampleContainer('2222', { state: 'exited', of: { pod: 'once', podUid: 'uid-once', container: 'main' } }),
    sampleContainer('3333', { of: { pod: 'box', podUid: 'uid-box', container: 'box', owner: 'run', restarts: 0 } }),
  ];
  const interfaces = sampleSnapshot().machine.interfaces;
  return sampleSnapshot({
    containers: [limited, job, run],
    networks: [{ labels: limited.labels, interfaces }],
    missing: [{ labels: { ...sampleContainer('4444').labels, pod: 'web-1' }, lastSeen: NOW - 30_000 }],
  });
}

const workload = { kind: 'Deployment', namespace: 'default', name: 'web' } as const;
const HAPPENED: readonly Report[] = [
  { event: 'revisionAccepted', source: '/srv/apps', revision: 'sha256:abc', workloads: 1 },
  { event: 'sourceChecked', source: '/srv/apps', revision: 'sha256:abc' },
  { event: 'imagePulled', reference: 'ghcr.io/owner/app:1', digest: 'sha256:feed', durationMs: 4200 },
  {
    event: 'stepDone',
    workload,
    step: 'startContainer',
    pod: 'web-0',
    container: 'nginx',
    image: undefined,
    why: 'not running',
    durationMs: 3,
  },
  { event: 'looked', workload, result: 'success', steps: 1, durationMs: 12, conditions: [], changed: true },
];

test('a scrape of a known machine is the golden text', async (t) => {
  const metrics = sampleMetrics(machine());
  for (const report of HAPPENED) metrics.report(report);
  metrics.eventLoopLag(0.002);
  assertGolden(t, 'agent/metrics.txt', await metrics.scrape());
});

test('no sample carries a timestamp, so that series end when containers do', async (t) => {
  const text = await sampleMetrics(machine()).scrape();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  t.true(samples.length > 100);
  for (const line of samples) t.regex(line, /^[a-z_]+(\{.*\})? (-?[0-9.e+-]+|\+Inf)$/);
});

test('no two samples of a scrape have the same name and labels', async (t) => {
  const old = sampleContainer('5555', { state: 'exited', startedAt: NOW - 120_000, of: { restarts: 1 } });
  const snapshot = machine();
  const text = await sampleMetrics({ ...snapshot, containers: [old, ...snapshot.containers] }).scrape();
  const series = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));
  t.deepEqual(
    series.filter((one, index) => series.indexOf(one) !== index),
    [],
  );
});

test('a container without limits has no quota, a memory limit of 0 and no throttling', async (t) => {
  const metrics = sampleMetrics(sampleSnapshot({ containers: [sampleContainer('1111')] }));
  t.deepEqual(await linesOf(metrics, 'container_spec_cpu_quota'), []);
  t.deepEqual(await linesOf(metrics, 'container_cpu_cfs_throttled_periods_total'), []);
  const [limit = ''] = await linesOf(metrics, 'container_spec_memory_limit_bytes');
  t.true(limit.endsWith(' 0'), limit);
});

test('the row of the whole machine has an id and neither name nor image', async (t) => {
  const rows = await linesOf(sampleMetrics(sampleSnapshot()), 'container_memory_working_set_bytes');
  t.deepEqual(rows, ['container_memory_working_set_bytes{id="/"} 1000000000']);
});

test('a restart count keeps its labels when the container is another one', async (t) => {
  const labels = 'namespace="default",pod="web-0",container="nginx",name="web-0/nginx"';
  for (const [id, restarts] of [
    ['1111', 1],
    ['2222', 2],
  ] as const) {
    const containers = [sampleContainer(id, { of: { restarts } })];
    const rows = await linesOf(sampleMetrics(sampleSnapshot({ containers })), 'container_restarts_total');
    t.deepEqual(rows, [`container_restarts_total{${labels}} ${restarts}`]);
  }
});

test('the restarts of containers that berth run made are not counted', async (t) => {
  const containers = [sampleContainer('1111', { of: { owner: 'run' } })];
  t.deepEqual(await linesOf(sampleMetrics(sampleSnapshot({ containers })), 'container_restarts_total'), []);
});

test('a container that could not be read shows in container_scrape_error', async (t) => {
  const broken = sampleContainer('1111', { failed: true, stats: undefined });
  t.deepEqual(await linesOf(sampleMetrics(sampleSnapshot({ containers: [broken] })), 'container_scrape_error'), [
    'container_scrape_error 1',
  ]);
});

test('labels are escaped', async (t) => {
  const containers = [sampleContainer('1111', { of: { image: 'a"b\\c\nd' } })];
  const rows = await linesOf(sampleMetrics(sampleSnapshot({ containers })), 'container_processes');
  t.true(rows[0]?.includes('image="a\\"b\\\\c\\nd"'), rows[0] ?? '');
});

test('scrapes at the same time get the same text, from one look at the machine', async (t) => {
  let looks = 0;
  const snapshot = machine();
  const metrics = sampleMetrics(snapshot);
  const counted = sampleMetrics(
    Object.defineProperty({ ...snapshot }, 'containers', {
      enumerable: true,
      get: () => {
        looks += 1;
        return snapshot.containers;
      },
    }),
  );
  const [one, other] = await Promise.all([counted.scrape(), counted.scrape()]);
  t.is(one, other);
  const looksOfTwo = looks;
  await counted.scrape();
  t.is(looks, 2 * looksOfTwo);
  t.is(await metrics.scrape(), one);
});

test('bytes of a pull are counted once, whatever progress says how often', async (t) => {
  const metrics = sampleMetrics(sampleSnapshot());
  const blob = { reference: 'ghcr.io/owner/app:1', digest: 'sha256:1', phase: 'download', total: 100 } as const;
  for (const done of [10, 10, 60, 100]) metrics.pullProgress({ ...blob, done });
  metrics.pullProgress({ ...blob, phase: 'unpack', done: 100 });
  t.deepEqual(await linesOf(metrics, 'berth_image_pull_bytes_total'), [
    'berth_image_pull_bytes_total{registry="ghcr.io"} 100',
  ]);
});

test('every look is counted under its result, and results begin at 0', async (t) => {
  const metrics = sampleMetrics(sampleSnapshot());
  metrics.report({
    event: 'looked',
    workload,
    result: 'stalled',
    steps: 0,
    durationMs: 1,
    conditions: [],
    changed: false,
  });
  t.deepEqual(await linesOf(metrics, 'berth_reconcile_total'), [
    'berth_reconcile_total{result="success"} 0',
    'berth_reconcile_total{result="retry"} 0',
    'berth_reconcile_total{result="wait"} 0',
    'berth_reconcile_total{result="stalled"} 1',
  ]);
});
