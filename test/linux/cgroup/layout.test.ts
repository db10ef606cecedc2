import test from 'ava';

import {
  checkCgroupPath,
  detectCgroups,
  type Controller,
  hierarchyOf,
  readCgroupLayout,
  unifiedHierarchy,
} from '../../../src/linux/cgroup/layout.ts';
import { cgroupEntry } from '../../../src/linux/cgroup/cgroup.ts';

const UNIFIED = {
  mountinfo: '33 24 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n',
  self: '0::/system.slice/berth.service\n',
  controllers: (): string => 'cpuset cpu io memory hugetlb pids rdma misc\n',
};
const PI = {
  mountinfo: [
    '30 23 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755',
    '31 30 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd',
    '34 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
    '35 30 0:31 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio',
    '36 30 0:32 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices',
    '37 30 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids',
    '38 30 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer',
    '',
  ].join('\n'),
  // memory is off (cgroup_disable=memory), net_cls is known to the kernel but not mounted.
  self: '8:net_cls:/\n7:freezer:/\n6:pids:/user\n5:devices:/\n4:blkio:/\n3:cpu,cpuacct:/\n1:name=systemd:/user\n',
  controllers: (): string => '',
};
const HYBRID = {
  mountinfo: `${PI.mountinfo}39 30 0:35 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`,
  self: `${PI.self}0::/\n`,
  controllers: (): string => 'hugetlb\n',
};
const layoutOf = ({ mountinfo, self, controllers }: typeof PI): ReturnType<typeof detectCgroups> =>
  detectCgroups(mountinfo, self, controllers);

const where = (machine: typeof PI, controller: Controller): string | undefined =>
  hierarchyOf(layoutOf(machine), controller)?.mountPoint;

test('cgroup v2: every controller is in the one hierarchy, with this process where it is', (t) => {
  const layout = layoutOf(UNIFIED);
  t.deepEqual(layout.hierarchies, [
    {
      version: 2,
      mountPoint: '/sys/fs/cgroup',
      controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'],
      self: '/system.slice/berth.service',
    },
  ]);
  for (const controller of ['cpu', 'memory', 'io', 'freezer', 'devices', 'cpuacct'] as const) {
    t.is(where(UNIFIED, controller), '/sys/fs/cgroup', controller);
  }
});

test('cgroup v1: controllers are found where they are mounted, several in one hierarchy too', (t) => {
  t.is(where(PI, 'cpu'), '/sys/fs/cgroup/cpu,cpuacct');
  t.is(where(PI, 'cpuacct'), '/sys/fs/cgroup/cpu,cpuacct');
  t.is(where(PI, 'io'), '/sys/fs/cgroup/blkio');
  t.is(where(PI, 'memory'), undefined);
  t.is(unifiedHierarchy(layoutOf(PI)), undefined);
  t.false(layoutOf(PI).hierarchies.some(({ controllers }) => controllers.includes('net_cls')));
  t.is(layoutOf(PI).hierarchies.find(({ controllers }) => controllers.includes('pids'))?.self, '/user');
});

test('hybrid: v1 keeps its controllers, cgroup2 has the rest', (t) => {
  t.is(where(HYBRID, 'cpu'), '/sys/fs/cgroup/cpu,cpuacct');
  t.is(where(HYBRID, 'freezer'), '/sys/fs/cgroup/freezer');
  t.is(where(HYBRID, 'hugetlb'), '/sys/fs/cgroup/unified');
  t.is(unifiedHierarchy(layoutOf(HYBRID))?.mountPoint, '/sys/fs/cgroup/unified');
});

test('a container joins each hierarchy that matters once: the freezer only without cgroup2, cpuset only when set', (t) => {
  t.deepEqual(cgroupEntry(layoutOf(PI), '/berth/a'), {
    tasksFiles: ['freezer', 'pids', 'devices', 'blkio', 'cpu,cpuacct'].map(
      (name) => `/sys/fs/cgroup/${name}/berth/a/tasks`,
    ),
    bornIn: undefined,
  });
  t.deepEqual(cgroupEntry(layoutOf(HYBRID), '/berth/a'), {
    tasksFiles: ['pids', 'devices', 'blkio', 'cpu,cpuacct'].map((name) => `/sys/fs/cgroup/${name}/berth/a/tasks`),
    bornIn: '/sys/fs/cgroup/unified/berth/a',
  });
  t.deepEqual(cgroupEntry(layoutOf(UNIFIED), '/berth/a'), { tasksFiles: [], bornIn: '/sys/fs/cgroup/berth/a' });
});

test('seen from a container, paths are relative to the part that is mounted', (t) => {
  const mountinfo =
    '50 49 0:30 /docker/abc /sys/fs/cgroup/memory\\040here ro master:11 - cgroup cgroup rw,memory\n' +
    '51 49 0:31 /docker/abc /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n';
  const layout = detectCgroups(mountinfo, '4:memory:/docker/abc/sub\n5:pids:/elsewhere\n', () => '');
  t.deepEqual(
    layout.hierarchies.map(({ mountPoint, self }) => [mountPoint, self]),
    [
      ['/sys/fs/cgroup/memory here', '/sub'],
      ['/sys/fs/cgroup/pids', '/elsewhere'],
    ],
  );
});

test('of several mounts of a hierarchy the whole one is used', (t) => {
  const mountinfo =
    '50 49 0:30 /kubepods /mnt/part rw - cgroup2 none rw\n51 49 0:30 / /sys/fs/cgroup rw - cgroup2 none rw\n';
  t.is(detectCgroups(mountinfo, '0::/\n', () => '').hierarchies[0]?.mountPoint, '/sys/fs/cgroup');
});

test('a machine without cgroups has an empty layout', (t) => {
  t.deepEqual(detectCgroups('22 1 0:5 / /proc rw - proc proc rw\n', '0::/\n', () => 'cpu').hierarchies, []);
});

test('the layout of this machine can be read', (t) => {
  t.true(readCgroupLayout().hierarchies.every(({ mountPoint, self }) => mountPoint.startsWith('/') && self !== ''));
});

const path = test.macro({
  exec: (t, text: string, sound: boolean) => {
    if (sound) t.notThrows(() => checkCgroupPath(text));
    else t.throws(() => checkCgroupPath(text), { code: 'PATH_INVALID' });
  },
  title: (_, text: string, sound: boolean) => `the path ${JSON.stringify(text)} is ${sound ? 'taken' : 'refused'}`,
});
for (const text of ['/berth', '/berth/a.b', '/a/b/c', '/...']) test(path, text, true);
for (const text of ['', '/', 'berth', '/berth/', '//a', '/a/../b', '/a/.', '/a\0b', '/a\nb']) test(path, text, false);
