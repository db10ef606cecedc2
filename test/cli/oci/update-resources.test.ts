import test from 'ava';

import { limitsOf } from '../../../src/cli/oci/update-resources.ts';
import { changedParts, mergeLimits } from '../../../src/oci/runtime/merge-limits.ts';

test('sizes are bytes, or have a unit; -1 is no limit', (t) => {
  for (const [text, bytes] of [
    ['67108864', 67108864],
    ['64m', 67108864],
    ['64M', 67108864],
    ['64MiB', 67108864],
    ['1.5g', 1610612736],
    ['512b', 512],
    ['-1', -1],
  ] as const)
    t.deepEqual(limitsOf({ memory: text }), { memory: { limit: bytes } }, text);
  for (const text of ['much', '1x', '-2', '1 2'])
    t.throws(() => limitsOf({ memory: text }), { message: /memory/ }, text);
});

test('only what is asked for is set', (t) => {
  t.deepEqual(limitsOf({}), {});
  t.deepEqual(limitsOf({ 'cpu-quota': '-1', 'cpuset-cpus': '0-1', 'pids-limit': '5', 'blkio-weight': '100' }), {
    cpu: { quota: -1, cpus: '0-1' },
    pids: { limit: 5 },
    blockIO: { weight: 100 },
  });
  t.throws(() => limitsOf({ 'cpu-share': '1.5' }), { message: /cpu-share/ });
});

test('flags win over the file, limit by limit', (t) => {
  const file = { memory: { limit: 1, swap: 2 }, hugepageLimits: [] };
  t.deepEqual(mergeLimits(file, { memory: { limit: 3 }, cpu: { shares: 4 } }), {
    memory: { limit: 3, swap: 2 },
    cpu: { shares: 4 },
    hugepageLimits: [],
  });
});

test('an update is told with what it depends on, and with nothing else', (t) => {
  const before = { cpu: { quota: 1, shares: 2 }, memory: { limit: 3, swap: 4 }, pids: { limit: 5 } };
  const told = (update: Parameters<typeof mergeLimits>[1]): object => changedParts(update, mergeLimits(before, update));
  t.deepEqual(told({ cpu: { period: 9 } }), { cpu: { quota: 1, shares: 2, period: 9 } });
  t.deepEqual(told({ memory: { limit: 9 } }), { memory: { limit: 9 } });
  t.deepEqual(told({ memory: { swap: 9 } }), { memory: { limit: 3, swap: 9 } });
  t.deepEqual(told({ pids: { limit: 9 } }), { pids: { limit: 9 } });
});
