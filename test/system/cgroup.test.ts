import { mkdirSync, readFileSync } from 'node:fs';

import test from 'ava';

import { createCgroup, openCgroup } from '../../src/linux/cgroup/cgroup.ts';
import { hierarchyOf } from '../../src/linux/cgroup/layout.ts';
import { NEXT } from '../../src/linux/tape/assemble.ts';
import { exitGroup, failBlock } from '../../src/linux/tape/blocks.ts';
import { type Operation, result, text, value, words } from '../../src/linux/tape/operation.ts';
import { runTape } from '../../src/linux/tape/run.ts';
import { cgroupScene } from './cgroup-scene.ts';
import { cgroupsUnusable, ended, spawnIn, until } from './in-cgroup.ts';

const { layout, make, needs, usable } = cgroupScene();
const unusable = cgroupsUnusable();

const pids = needs('pids');
pids.test(`a shell cannot fork beyond pids.max${pids.reason}`, async (t) => {
  const cgroup = make(t, { pids: { limit: 4 } });
  const script = 'for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; wait';
  const child = spawnIn(cgroup, script);
  child.once('exit', () => cgroup.kill());
  const { output } = await ended(child);
  t.regex(output, /fork/i);
  t.is(cgroup.stats().pids?.limit, 4);
});

const memory = needs('memory');
memory.test(`memory beyond the limit is an OOM kill, and it is counted${memory.reason}`, async (t) => {
  const limit = 24 << 20;
  const cgroup = make(t, { memory: { limit, swap: limit } });
  t.is(cgroup.oomKills(), 0);
  const { code } = await ended(spawnIn(cgroup, 'head -c 200000000 /dev/zero | tail -c 150000000 > /dev/null'));
  t.not(code, 0);
  t.true(cgroup.oomKills() >= 1);
  const stats = cgroup.stats().memory;
  t.is(stats?.limitBytes, limit);
  t.true((stats?.peakBytes ?? limit) <= limit);
});

memory.test(`meeting the memory limit is counted${memory.reason}`, async (t) => {
  // Without a limit of memory and swap together: Linux 6.18 does not count how often that one is met.
  const cgroup = make(t, { memory: { limit: 24 << 20 } });
  await ended(spawnIn(cgroup, 'head -c 200000000 /dev/zero | tail -c 150000000 > /dev/null'));
  t.true((cgroup.stats().memory?.failures ?? 0) > 0);
});

const cpu = needs('cpu', 'cpuacct');
cpu.test(`a busy loop is throttled by its quota, and that is counted${cpu.reason}`, async (t) => {
  const cgroup = make(t, { cpu: { quota: 5000, period: 50_000 } });
  const child = spawnIn(cgroup, 'while :; do :; done');
  await until(() => (cgroup.stats().cpu?.throttledPeriods ?? 0) >= 3, 'three throttled periods');
  cgroup.kill();
  await ended(child);
  const stats = cgroup.stats().cpu;
  t.true((stats?.throttledNs ?? 0) > 0);
  t.true((stats?.usageNs ?? 0) > 0);
  t.true((stats?.periods ?? 0) >= 3);
});

const allowed = (pid: number | undefined): string | undefined =>
  /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];

const cpuset = needs('cpuset', 'memory');
cpuset.test(`a cpuset holds, also one that is set later${cpuset.reason}`, async (t) => {
  const cgroup = make(t, { memory: { limit: 64 << 20, swap: 64 << 20 } });
  const child = spawnIn(cgroup, 'exec sleep 100');
  // Joined everywhere, not only in the first hierarchy.
  await until(() => readFileSync(`/proc/${child.pid}/comm`, 'utf8') === 'sleep\n', 'the program runs');
  t.deepEqual(cgroup.update({ cpu: { cpus: '0' } }), []);
  await until(() => allowed(child.pid) === '0', 'the program is on processor 0');
  const later = make(t, { cpu: { cpus: '0', mems: '0' } });
  const { output } = await ended(spawnIn(later, 'grep Cpus_allowed_list /proc/self/status'));
  t.regex(output, /:\s*0$/m);
});

memory.test(`limits can be raised and lowered while the program runs${memory.reason}`, (t) => {
  const cgroup = make(t, { memory: { limit: 16 << 20, swap: 16 << 20 } });
  const limit = (): number | undefined => cgroup.stats().memory?.limitBytes;
  // On v1 the limit must never be above that of memory and swap: both orders of writing are needed.
  cgroup.update({ memory: { limit: 32 << 20, swap: 32 << 20 } });
  t.is(limit(), 32 << 20);
  cgroup.update({ memory: { limit: 8 << 20, swap: 8 << 20 } });
  t.is(limit(), 8 << 20);
  cgroup.update({ memory: { limit: -1 } });
  t.is(limit(), undefined);
});

cpu.test(`a value that the kernel refuses names the file, the value and what came back${cpu.reason}`, (t) => {
  const cgroup = make(t);
  const error = t.throws(() => cgroup.update({ cpu: { quota: 3 } }), { code: 'REFUSED' });
  t.regex(
    error?.message ?? '',
    /^Cannot write '3.*' to \/.*cpu\.(cfs_quota_us|max): EINVAL \(the kernel does not take/,
  );
});

// The same machine as it would be without cgroup2, and without v1.
const machines = ([1, 2] as const).map((version) => ({
  version,
  machine: { hierarchies: layout.hierarchies.filter((hierarchy) => hierarchy.version === version) },
}));
for (const { version, machine } of machines) {
  const possible = version === 2 ? machine.hierarchies.length > 0 : hierarchyOf(machine, 'freezer') !== undefined;
  const where = possible && unusable === undefined ? usable : test.skip;
  const title = possible ? `v${version}` : `v${version} (skipped: not on this machine)`;

  where(`${title}: frozen processes stand still, go on when thawed, and die when killed frozen`, async (t) => {
    const cgroup = make(t, {}, machine);
    const child = spawnIn(cgroup, 'while :; do sleep 0.01; done');
    await until(() => cgroup.procs().includes(child.pid ?? -1), 'the program runs');
    const end = ended(child);
    await cgroup.freeze();
    t.true(cgroup.frozen());
    await cgroup.thaw();
    t.false(cgroup.frozen());
    await cgroup.freeze();
    cgroup.kill();
    t.is((await end).signal, 'SIGKILL');
  });

  where(`${title}: nothing escapes kill by forking or by a sub-cgroup`, async (t) => {
    const cgroup = make(t, {}, machine);
    const child = spawnIn(cgroup, '(while :; do (sleep 0.05 &) ; sleep 0.01; done) & sleep 100');
    await until(() => cgroup.procs().length >= 3, 'several processes run');
    const directory = cgroup.bornIn ?? cgroup.tasksFiles.find((file) => file.includes('pids'))?.replace('/tasks', '');
    mkdirSync(`${directory}/inner`);
    const inner = spawnIn({ tasksFiles: [], bornIn: `${directory}/inner` }, 'exec sleep 100');
    await until(() => cgroup.procs().includes(inner.pid ?? -1), 'the inner program runs');
    cgroup.kill();
    t.is((await ended(child)).signal, 'SIGKILL');
    await until(() => cgroup.procs().length === 0, 'nothing is left');
    await cgroup.remove();
    t.deepEqual(openCgroup(machine, cgroup.path).procs(), []);
  });
}

usable('removing a cgroup with a process in it fails, naming the process', async (t) => {
  const cgroup = make(t);
  const child = spawnIn(cgroup, 'exec sleep 100');
  // Joined everywhere, not only in the first hierarchy.
  await until(() => readFileSync(`/proc/${child.pid}/comm`, 'utf8') === 'sleep\n', 'the program runs');
  const error = await t.throwsAsync(() => cgroup.remove(), { code: 'BUSY' });
  t.true(error?.message.includes(`processes ${child.pid} are in it`), error?.message);
});

usable('a leftover cgroup is taken over with its new limits; a frozen one is refused', async (t) => {
  const cgroup = make(t);
  await cgroup.freeze();
  t.throws(() => createCgroup(layout, cgroup.path), { code: 'FROZEN' });
  await cgroup.thaw();
  t.deepEqual(createCgroup(layout, cgroup.path).notes, []);
});

const AT_FDCWD = -100;
const O_PATH_CLOEXEC = 0o12000000;
const O_WRONLY_CLOEXEC = 0o2000001;
const CLONE_INTO_CGROUP = 0x200000000n;
const SIGCHLD = 17;
const P_ALL = 0;
const WEXITED = 4;

usable('a process enters as containers do: born into v2, and by its own write on v1', async (t) => {
  const cgroup = make(t);
  const directory = result('cgroup');
  const born = cgroup.bornIn;
  const joined = cgroup.tasksFiles.flatMap((file, index): Operation[] => [
    {
      call: 'openat',
      args: [value(AT_FDCWD, 'AT_FDCWD'), text(file), O_WRONLY_CLOEXEC, 0],
      what: `open ${file}`,
      save: result(`tasks${index}`),
    },
    { call: 'write', args: [result(`tasks${index}`), text('0'), 1], what: `join ${file}` },
  ]);
  const flags = born === undefined ? 0 : CLONE_INTO_CGROUP;
  const output = await runTape(
    {
      name: 'enter',
      blocks: [
        {
          label: 'main',
          zone: 'parent',
          operations: [
            ...(born === undefined
              ? []
              : [
                  {
                    call: 'openat',
                    args: [value(AT_FDCWD, 'AT_FDCWD'), text(born), O_PATH_CLOEXEC, 0],
                    what: 'open the cgroup',
                    save: directory,
                  },
                ]),
            {
              call: 'clone3',
              args: [
                words([flags, 0, 0, 0, SIGCHLD, 0, 0, 0, 0, 0, born === undefined ? 0 : directory], 'clone_args'),
                88,
              ],
              what: 'clone into the cgroup',
              onZero: 'child',
            },
            { call: 'waitid', args: [P_ALL, 0, 0, WEXITED, 0], what: 'wait' },
            exitGroup(0),
          ],
        },
        {
          label: 'child',
          zone: 'child',
          operations: [
            ...joined,
            { call: 'dup2', args: [3, 1], what: 'write to the status pipe', onError: NEXT },
            {
              call: 'execve',
              args: [text('/bin/cat'), words([text('cat'), text('/proc/self/cgroup'), 0], 'argv'), words([0], 'envp')],
              what: 'exec cat',
            },
          ],
        },
        failBlock('parent'),
      ],
    },
    { argv: ['berth-test-enter'] },
  );
  const mine = output
    .toString()
    .split('\n')
    .filter((line) => line.endsWith(`:${cgroup.path}`));
  t.is(mine.length, cgroup.tasksFiles.length + (born === undefined ? 0 : 1), output.toString());
});
