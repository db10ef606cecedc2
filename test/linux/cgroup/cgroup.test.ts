import { existsSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { createCgroup, openCgroup } from '../../../src/linux/cgroup/cgroup.ts';
import { FakeTree } from './fake-tree.ts';

const ALL = ['cpuset', 'cpu', 'io', 'memory', 'pids'];
const limits = {
  memory: { limit: 64 << 20, swap: 64 << 20 },
  cpu: { shares: 1024, quota: 50_000, period: 100_000 },
  pids: { limit: 10 },
};

/** A leaf with its files, as the kernel would make them, below `berth`, in which only `pids` is enabled. */
function machine(): FakeTree {
  const files = ['memory.max', 'memory.swap.max', 'cpu.weight', 'cpu.max', 'pids.max', 'cgroup.procs', 'cpuset.cpus'];
  return new FakeTree().with({
    ...Object.fromEntries(files.map((file) => [`berth/a/${file}`, ''])),
    'cgroup.subtree_control': 'cpu memory',
    'berth/cgroup.subtree_control': '',
    'berth/a/cgroup.controllers': 'pids',
  });
}

test('limits of v2 are written into their files', (t) => {
  using tree = machine();
  const cgroup = createCgroup(tree.layout(2, ALL), '/berth/a', limits);
  t.deepEqual(
    ['memory.max', 'memory.swap.max', 'cpu.weight', 'cpu.max', 'pids.max'].map((file) => tree.read(`berth/a/${file}`)),
    ['67108864', '0', '100', '50000 100000', '10'],
  );
  t.is(cgroup.bornIn, join(tree.root, 'berth/a'));
  t.deepEqual(cgroup.tasksFiles, []);
  t.deepEqual(cgroup.notes, []);
});

test('controllers are enabled from the root down, each where it is lacking', (t) => {
  using tree = machine();
  createCgroup(tree.layout(2, ALL), '/berth/a', { cpu: { cpus: '0' } });
  // Plain files are written from their start; the kernel would add to the set.
  t.is(tree.read('cgroup.subtree_control'), '+pids +io +cpuset');
  t.is(tree.read('berth/cgroup.subtree_control'), '+cpu +memory +pids +io +cpuset');
});

test('a cgroup that has its controllers already costs no writes above it', (t) => {
  using tree = machine().with({ 'berth/a/cgroup.controllers': 'cpu io memory pids' });
  createCgroup(tree.layout(2, ALL), '/berth/a', limits);
  t.is(tree.read('berth/cgroup.subtree_control'), '');
});

test('what the machine cannot do is said at once, before anything is made', (t) => {
  using tree = new FakeTree();
  const error = t.throws(() => createCgroup(tree.layout(2, ['cpu']), '/berth/a', limits), { code: 'UNSUPPORTED' });
  t.is(
    error?.message,
    'Cannot limit /berth/a: memory limit: no memory controller on this machine; ' +
      'pids limit: no pids controller on this machine',
  );
  t.false(existsSync(join(tree.root, 'berth')));
});

test('a missing file names the file and the reason, and the cgroup is gone again', (t) => {
  using tree = new FakeTree().with({ 'berth/kept': '' });
  const error = t.throws(() => createCgroup(tree.layout(1, ['pids']), '/berth/a', { pids: { limit: 5 } }));
  t.like(error, { code: 'UNSUPPORTED' });
  t.is(error?.message, `Cannot write '5' to ${tree.root}/berth/a/pids.max: ENOENT (this kernel has no such file)`);
  t.false(existsSync(join(tree.root, 'berth/a')));
  t.true(existsSync(join(tree.root, 'berth')));
});

test('a kernel that does not account swap is noted when no swap was asked for, else an error', (t) => {
  using tree = new FakeTree().with({ 'a/memory.limit_in_bytes': '' });
  const layout = tree.layout(1, ['memory']);
  t.deepEqual(createCgroup(layout, '/a', { memory: { limit: 10, swap: 10 } }).notes, [
    'memory.memsw.limit_in_bytes: not set, this kernel does not account swap; boot it with swapaccount=1',
  ]);
  t.throws(() => createCgroup(layout, '/a', { memory: { limit: 10, swap: 20 } }), {
    code: 'UNSUPPORTED',
    message: /memsw.*ENOENT \(this kernel does not account swap; boot it with swapaccount=1\)$/,
  });
});

test('a leftover that is frozen is refused, one with processes is noted', (t) => {
  using tree = new FakeTree().with({ 'a/cgroup.freeze': '1\n', 'a/cgroup.procs': '' });
  t.throws(() => createCgroup(tree.layout(2, []), '/a'), { code: 'FROZEN' });
  tree.with({ 'a/cgroup.freeze': '0\n', 'a/cgroup.procs': '12\n34\n' });
  t.deepEqual(createCgroup(tree.layout(2, []), '/a').notes, ['the cgroup existed, with processes 12, 34']);
});

test('the cpuset of v1 is inherited before anybody can join', (t) => {
  using tree = new FakeTree().with({
    'cpuset.cpus': '0-3\n',
    'cpuset.mems': '0\n',
    'berth/cpuset.cpus': '\n',
    'berth/cpuset.mems': '\n',
    'berth/a/cpuset.cpus': '\n',
    'berth/a/cpuset.mems': '\n',
  });
  const cgroup = createCgroup(tree.layout(1, ['cpuset']), '/berth/a', { cpu: { cpus: '2' } });
  t.is(tree.read('berth/cpuset.cpus'), '0-3');
  t.is(tree.read('berth/a/cpuset.mems').trim(), '0');
  t.is(tree.read('berth/a/cpuset.cpus').slice(0, 1), '2');
  t.deepEqual(cgroup.tasksFiles, [join(tree.root, 'berth/a/tasks')]);
});

test('the weight goes to the file that the kernel has', (t) => {
  using tree = new FakeTree().with({ 'a/io.weight': '', 'a/cgroup.controllers': 'io' });
  createCgroup(tree.layout(2, ['io']), '/a', { blockIO: { weight: 1000 } });
  t.is(tree.read('a/io.weight'), 'default 10000');
});

test('processes of sub-cgroups count, each once', (t) => {
  using tree = new FakeTree().with({
    'a/cgroup.procs': '1\n',
    'a/x/cgroup.procs': '2\n3\n',
    'a/x/y/cgroup.procs': '4\n1\n',
  });
  t.deepEqual(openCgroup(tree.layout(2, []), '/a').procs(), [1, 2, 3, 4]);
});

test('kill on v2 is one write', (t) => {
  using tree = new FakeTree().with({ 'a/cgroup.kill': '', 'a/cgroup.procs': '' });
  openCgroup(tree.layout(2, []), '/a').kill();
  t.is(tree.read('a/cgroup.kill'), '1');
});

test('a cgroup that is gone cannot be updated, and removing it again is fine', async (t) => {
  using tree = new FakeTree();
  const cgroup = openCgroup(tree.layout(1, ['pids']), '/a');
  t.throws(() => cgroup.update({ pids: { limit: 1 } }), { code: 'GONE', message: 'There is no cgroup /a' });
  await t.notThrowsAsync(() => cgroup.remove());
});

test('removing takes empty sub-cgroups with it', async (t) => {
  using tree = new FakeTree().with({ 'other/x': '' });
  const layout = tree.layout(1, ['pids']);
  createCgroup(layout, '/a/b/c');
  createCgroup(layout, '/a/d');
  await openCgroup(layout, '/a').remove();
  t.false(existsSync(join(tree.root, 'a')));
  t.true(existsSync(join(tree.root, 'other')));
});
