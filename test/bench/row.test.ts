import test from 'ava';

import { quantile, rowsOf } from './row.ts';

test('a quantile is the nearest rank, whatever the order', (t) => {
  const samples = [5, 1, 4, 2, 3];
  t.is(quantile(samples, 0.5), 3);
  t.is(quantile(samples, 0.99), 5);
  t.is(quantile(samples, 0), 1);
  t.is(quantile([7], 0.5), 7);
  t.is(quantile([], 0.5), Number.NaN);
});

test('a row for each peer, with the ratio of the medians', (t) => {
  const rows = rowsOf({
    name: 'start',
    unit: 'ms',
    samples: [1, 2, 3],
    peers: [
      { name: 'crun run', samples: [8, 8, 9] },
      { name: 'runc run', samples: [], missing: 'runc is not installed' },
    ],
  });
  t.deepEqual(rows, [
    {
      name: 'start',
      unit: 'ms',
      berth: 2,
      berthP99: 3,
      runs: 3,
      peer: 8,
      peerName: 'crun run',
      ratio: 0.25,
      peerP99: 9,
    },
    {
      name: 'start',
      unit: 'ms',
      berth: 2,
      berthP99: 3,
      runs: 3,
      peer: null,
      peerName: 'runc run',
      ratio: null,
      note: 'runc is not installed',
    },
  ]);
});

test('without peers there is one row', (t) => {
  const [row, ...more] = rowsOf({ name: 'hundred', unit: 'ms', samples: [575.4], peers: [] });
  t.deepEqual(more, []);
  t.like(row, { berth: 575, peer: null, peerName: null, ratio: null, runs: 1 });
});
