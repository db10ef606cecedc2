// Other limits while programs run: every legal change goes through, in whatever order the kernel wants its files written.
import { readFileSync } from 'node:fs';

import type { Cgroup } from '../../src/linux/cgroup/cgroup.ts';
import { type Controller, hierarchyOf } from '../../src/linux/cgroup/layout.ts';
import type { CgroupResources } from '../../src/linux/cgroup/resources.ts';
import { cgroupScene } from './cgroup-scene.ts';
import { ended, spawnIn, until } from './in-cgroup.ts';

const { layout, make, needs } = cgroupScene();
const MIB = 1024 * 1024;

/** What is in a file of the cgroup, named as on the machine's version. */
function read({ path }: Cgroup, controller: Controller, file: string): string {
  const directory = `${hierarchyOf(layout, controller)?.mountPoint}${path}`;
  return readFileSync(`${directory}/${file}`, 'utf8').trim();
}

function onV1(controller: Controller): boolean {
  return hierarchyOf(layout, controller)?.version === 1;
}

const STEPS: readonly CgroupResources[] = [
  { cpu: { quota: 20_000, period: 50_000 } },
  { cpu: { quota: 500_000, period: 1_000_000 } },
  { cpu: { quota: 5000, period: 10_000 } },
  { cpu: { quota: -1 } },
  { cpu: { quota: 10_000, period: 20_000, burst: 10_000 } },
  { cpu: { quota: 5000, burst: 1000 } },
];

const cpu = needs('cpu');
cpu.test(`quota, period and burst change together and alone${cpu.reason}`, (t) => {
  const cgroup = make(t);
  for (const step of STEPS) t.deepEqual(cgroup.update(step), []);
  const show = (): string[] =>
    onV1('cpu')
      ? ['cpu.cfs_quota_us', 'cpu.cfs_period_us', 'cpu.cfs_burst_us'].map((file) => read(cgroup, 'cpu', file))
      : [...read(cgroup, 'cpu', 'cpu.max').split(' '), read(cgroup, 'cpu', 'cpu.max.burst')];
  t.deepEqual(show(), ['5000', '20000', '1000']);
  cgroup.update({ cpu: { period: 40_000 } });
  t.deepEqual(show(), ['5000', '40000', '1000']);
});

const memory = needs('memory');
memory.test(`memory and swap go up, down and away${memory.reason}`, (t) => {
  const cgroup = make(t, { memory: { limit: 32 * MIB, swap: 32 * MIB } });
  for (const [limit, swap] of [
    [64, 128],
    [16, 16],
    [16, 64],
    [128, 128],
  ] as const) {
    cgroup.update({ memory: { limit: limit * MIB, swap: swap * MIB } });
    t.is(cgroup.stats().memory?.limitBytes, limit * MIB);
  }
  // Memory and swap together, beside the limit that is there.
  cgroup.update({ memory: { swap: 192 * MIB } });
  const swap = onV1('memory') ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max';
  t.is(read(cgroup, 'memory', swap), String((onV1('memory') ? 192 : 64) * MIB));
  cgroup.update({ memory: { limit: -1 } });
  t.is(cgroup.stats().memory?.limitBytes, undefined);
});

memory.test(`checkBeforeUpdate refuses less than is used, and changes nothing${memory.reason}`, async (t) => {
  const cgroup = make(t, { memory: { limit: 64 * MIB } });
  const child = spawnIn(cgroup, 'head -c 20000000 /dev/zero | { tail -c 20000000; sleep 1000; } | sleep 1000');
  await until(() => (cgroup.stats().memory?.usageBytes ?? 0) > 10 * MIB, 'memory is used');
  // Of v1 the kernel itself refuses, once it cannot give enough back.
  const change = { memory: { limit: MIB, checkBeforeUpdate: true } };
  if (!onV1('memory')) t.throws(() => cgroup.update(change), { code: 'REFUSED', message: /it uses \d+$/ });
  t.is(cgroup.stats().memory?.limitBytes, 64 * MIB);
  t.deepEqual(cgroup.update({ memory: { limit: 48 * MIB, checkBeforeUpdate: true } }), []);
  cgroup.kill();
  await ended(child);
});

memory.test(`kernel memory is limited, or that is an error${memory.reason}`, (t) => {
  const cgroup = make(t);
  t.deepEqual(
    cgroup.update({ memory: { kernel: -1 } }).filter((note) => !note.includes('not set')),
    [],
  );
  try {
    cgroup.update({ memory: { kernel: 8 * MIB } });
    t.is(read(cgroup, 'memory', 'memory.kmem.limit_in_bytes'), String(8 * MIB));
  } catch (error) {
    t.like(error, { code: 'UNSUPPORTED' });
    t.regex(String(error), /kmem|kernel memory/);
  }
});

const pids = needs('pids');
pids.test(`a pids limit goes below what is there, and away${pids.reason}`, async (t) => {
  const cgroup = make(t, { pids: { limit: 10 } });
  const child = spawnIn(cgroup, 'sleep 1000 & sleep 1000 & sleep 1000');
  await until(() => cgroup.procs().length === 4, 'all run');
  cgroup.update({ pids: { limit: 1 } });
  t.is(cgroup.stats().pids?.limit, 1);
  t.is(cgroup.procs().length, 4);
  cgroup.update({ pids: { limit: 0 } });
  t.is(cgroup.stats().pids?.limit, undefined);
  cgroup.kill();
  await ended(child);
});

pids.test(`of a cgroup that is gone an update says so${pids.reason}`, async (t) => {
  const cgroup = make(t);
  await cgroup.remove();
  t.throws(() => cgroup.update({ pids: { limit: 1 } }), { code: 'GONE' });
});
