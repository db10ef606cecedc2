import { spawn } from 'node:child_process';
import { once } from 'node:events';

import test from 'ava';

import { livesInCgroup, parseProcessStat, readProcessStat } from '../../src/linux/process-stat.ts';

const FIELDS = 'S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21';

test('state and start time come after the name, whatever the name is', (t) => {
  t.deepEqual(parseProcessStat(`12 (node) ${FIELDS}\n`), { state: 'S', startTime: 4711 });
  t.deepEqual(parseProcessStat(`12 (a) Z 1 (b c) ${FIELDS}\n`), { state: 'S', startTime: 4711 });
});

test('this process is there, since before now', (t) => {
  const stat = readProcessStat(process.pid);
  t.is(stat?.state, 'R');
  t.true((stat?.startTime ?? 0) > 0);
});

test('a process that has ended is not there', async (t) => {
  const child = spawn('true');
  await once(child, 'exit');
  t.is(readProcessStat(child.pid ?? 0), undefined);
  t.false(livesInCgroup(child.pid ?? 0, '/'));
});

test('a process lives in its own cgroup only', (t) => {
  t.false(livesInCgroup(process.pid, '/no-such-cgroup'));
});
