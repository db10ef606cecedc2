import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import type { CgroupLayout } from '../../../src/linux/cgroup/layout.ts';
import type { LimitPlan } from '../../../src/linux/cgroup/limit-plan.ts';
import { planLimits } from '../../../src/linux/cgroup/limits.ts';
import { cpuWeight } from '../../../src/linux/cgroup/limits-v2.ts';
import type { CgroupResources } from '../../../src/linux/cgroup/resources.ts';
import { hierarchy, V1, V2 } from './machines.ts';

const BARE: CgroupLayout = { hierarchies: [] };
const HYBRID: CgroupLayout = { hierarchies: [hierarchy(1, 'memory'), hierarchy(2, 'hugetlb')] };

const written = (layout: CgroupLayout, resources: CgroupResources): string[] => {
  const plan: LimitPlan = planLimits(layout, resources);
  assert.deepEqual(plan.problems, []);
  return plan.writes.map(({ file, value }) => `${file} ${value}`);
};

const same = test.macro({
  exec(t, resources: CgroupResources, v1: readonly string[], v2: readonly string[]) {
    t.deepEqual(written(V1, resources), v1);
    t.deepEqual(written(V2, resources), v2);
  },
  title: (title = '') => `${title}, on v1 and v2`,
});

test(
  'cpu shares, quota and period',
  same,
  { cpu: { shares: 1024, quota: 50_000, period: 100_000 } },
  ['cpu.shares 1024', 'cpu.cfs_period_us 100000', 'cpu.cfs_quota_us 50000'],
  ['cpu.weight 100', 'cpu.max 50000 100000'],
);
test('no quota', same, { cpu: { quota: -1 } }, ['cpu.cfs_quota_us -1'], ['cpu.max max']);
test('a period alone', same, { cpu: { period: 20_000 } }, ['cpu.cfs_period_us 20000'], ['cpu.max max 20000']);
test('zeros are no limits', same, { cpu: { shares: 0, quota: 0, period: 0 }, memory: { limit: 0, swap: 0 } }, [], []);
test(
  'burst and idle',
  same,
  { cpu: { burst: 1000, idle: 0 } },
  ['cpu.cfs_burst_us 1000', 'cpu.idle 0'],
  ['cpu.max.burst 1000', 'cpu.idle 0'],
);
test(
  'a cpuset',
  same,
  { cpu: { cpus: '0-1', mems: '0' } },
  ['cpuset.cpus 0-1', 'cpuset.mems 0'],
  ['cpuset.cpus 0-1', 'cpuset.mems 0'],
);
test(
  'memory with swap: OCI counts both together, as v1 does',
  same,
  { memory: { limit: 1000, swap: 1500, reservation: 500 } },
  ['memory.limit_in_bytes 1000', 'memory.memsw.limit_in_bytes 1500', 'memory.soft_limit_in_bytes 500'],
  ['memory.max 1000', 'memory.swap.max 500', 'memory.low 500'],
);
test(
  'memory without swap',
  same,
  { memory: { limit: 1000, swap: 1000 } },
  ['memory.limit_in_bytes 1000', 'memory.memsw.limit_in_bytes 1000'],
  ['memory.max 1000', 'memory.swap.max 0'],
);
test(
  'unlimited swap',
  same,
  { memory: { limit: 1000, swap: -1 } },
  ['memory.limit_in_bytes 1000', 'memory.memsw.limit_in_bytes -1'],
  ['memory.max 1000', 'memory.swap.max max'],
);
test(
  'unlimited memory lifts the limit of memory and swap too',
  same,
  { memory: { limit: -1 } },
  ['memory.limit_in_bytes -1', 'memory.memsw.limit_in_bytes -1'],
  ['memory.max max', 'memory.swap.max max'],
);
test('pids', same, { pids: { limit: 64 } }, ['pids.max 64'], ['pids.max 64']);
test('no pids limit', same, { pids: { limit: -1 } }, ['pids.max max'], ['pids.max max']);
test('a pids limit of 0 is none', same, { pids: { limit: 0 } }, ['pids.max max'], ['pids.max max']);
test(
  'block I/O',
  same,
  { blockIO: { weight: 505, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1024 }] } },
  ['blkio.bfq.weight 505', 'blkio.throttle.read_bps_device 8:0 1024'],
  ['io.bfq.weight 505', 'io.max 8:0 rbps=1024'],
);
test(
  'huge pages',
  same,
  { hugepageLimits: [{ pageSize: '2MB', limit: 4194304 }] },
  ['hugetlb.2MB.limit_in_bytes 4194304', 'hugetlb.2MB.rsvd.limit_in_bytes 4194304'],
  ['hugetlb.2MB.max 4194304', 'hugetlb.2MB.rsvd.max 4194304'],
);

test('kernels without BFQ take the weight in another file and, on v2, on another scale', (t) => {
  const [v1] = planLimits(V1, { blockIO: { weight: 10 } }).writes;
  t.like(v1, { otherFile: 'blkio.weight' });
  const scaled = [10, 505, 1000].map((weight) => planLimits(V2, { blockIO: { weight } }).writes[0]?.otherValue);
  t.deepEqual(scaled, ['default 1', 'default 5000', 'default 10000']);
});

test('device rules keep their order, and are split where v1 needs it', (t) => {
  const rules = [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 1, minor: 3, access: 'rw' },
    { allow: true, type: 'c', major: 136, access: 'rwm' },
    { allow: true, access: 'm' },
    { allow: false, type: 'b', major: 8 },
  ] as const;
  t.deepEqual(written(V1, { devices: rules }), [
    'devices.deny a',
    'devices.allow c 1:3 rw',
    'devices.allow c 136:* rwm',
    'devices.allow c *:* m',
    'devices.allow b *:* m',
    'devices.deny b 8:* rwm',
  ]);
});

test('device rules on v2 are for a program, unless they let everything through', (t) => {
  const rules = [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 1 },
  ] as const;
  t.deepEqual(planLimits(V2, { devices: rules }), { writes: [], problems: [], deviceFilter: rules });
  t.deepEqual(planLimits(V2, { devices: [{ allow: true, access: 'rwm' }] }), { writes: [], problems: [] });
});

test('a limit on a missing controller is a problem that names it, never silence', (t) => {
  const resources: CgroupResources = {
    memory: { limit: 1 },
    cpu: { shares: 2, cpus: '0' },
    pids: { limit: 3 },
    blockIO: { weight: 10 },
    hugepageLimits: [{ pageSize: '2MB', limit: 0 }],
    devices: [{ allow: false }],
    network: { classID: 1, priorities: [{ name: 'eth0', priority: 1 }] },
    rdma: { mlx5_1: { hcaHandles: 3 } },
    unified: { 'memory.high': '1' },
  };
  t.deepEqual(planLimits(BARE, resources).problems, [
    'cpu limit: no cpu controller on this machine',
    'cpuset: no cpuset controller on this machine',
    'memory limit: no memory controller on this machine',
    'pids limit: no pids controller on this machine',
    'block I/O limit: no io controller on this machine',
    'huge page limit: no hugetlb controller on this machine',
    'network class: no net_cls controller on this machine',
    'network priorities: no net_prio controller on this machine',
    'RDMA limit: no rdma controller on this machine',
    'device rules: no devices controller on this machine',
    "unified: 'memory.high' needs cgroup v2, which is not mounted here",
  ]);
  t.deepEqual(planLimits(BARE, { cpu: { shares: 0 }, memory: {} }).problems, []);
});

test('v2 says what it has no equal for', (t) => {
  t.deepEqual(planLimits(V2, { memory: { swappiness: 0 } }).problems, ['swappiness: cgroup v2 has none']);
  t.deepEqual(planLimits(V2, { cpu: { realtimeRuntime: 1 } }).problems, ['realtime limit: cgroup v2 has none']);
  t.is(planLimits(V2, { memory: { disableOOMKiller: true } }).problems.length, 1);
  t.deepEqual(written(V1, { memory: { swappiness: 0, disableOOMKiller: true } }), [
    'memory.swappiness 0',
    'memory.oom_control 1',
  ]);
});

test('unified goes to cgroup2, and is an error where its controller is on v1', (t) => {
  t.deepEqual(written(V2, { unified: { 'memory.high': '1G', 'cgroup.max.depth': '2' } }), [
    'memory.high 1G',
    'cgroup.max.depth 2',
  ]);
  t.deepEqual(planLimits(HYBRID, { unified: { 'memory.high': '1' } }).problems, [
    "unified: 'memory.high' needs the memory controller of cgroup v2, which is not there",
  ]);
  t.deepEqual(written(HYBRID, { unified: { 'hugetlb.2MB.max': '0' } }), ['hugetlb.2MB.max 0']);
  t.deepEqual(written(V2, { unified: { 'io.max': '8:0 rbps=1\n8:16 wbps=2\n' } }), [
    'io.max 8:0 rbps=1',
    'io.max 8:16 wbps=2',
  ]);
});

const refused = test.macro({
  exec(t, resources: CgroupResources, message: RegExp) {
    for (const layout of [V1, V2]) t.throws(() => planLimits(layout, resources), { instanceOf: RangeError, message });
  },
  title: (title = '') => `${title} is refused, with the name of the field`,
});
test(
  'a unified file elsewhere',
  refused,
  { unified: { '../memory.max': '1' } },
  /^linux\.resources\.unified: '\.\.\/mem/,
);
test('a unified name without a controller', refused, { unified: { cgroup: '' } }, /unified: 'cgroup'/);
test('moving processes as a limit', refused, { unified: { 'cgroup.procs': '1' } }, /acts on processes/);
test('a page size with a path', refused, { hugepageLimits: [{ pageSize: '../2MB', limit: 1 }] }, /hugepageLimits: /);
test('an interface with a space', refused, { network: { priorities: [{ name: 'a b', priority: 1 }] } }, /'a b'/);
test('an RDMA device with a space', refused, { rdma: { 'a b': { hcaHandles: 1 } } }, /rdma: 'a b'/);
test('an RDMA device without limits', refused, { rdma: { mlx5_1: {} } }, /neither handles nor objects/);
test('swappiness beyond 100', refused, { memory: { swappiness: 101 } }, /memory\.swappiness: 101/);
test('a burst above the quota', refused, { cpu: { quota: 1000, burst: 1001 } }, /cpu\.burst: 1001/);
test('another idle than 0 and 1', refused, { cpu: { idle: 2 } }, /cpu\.idle: 2/);

test('swap that contradicts memory is refused', (t) => {
  t.throws(() => planLimits(V2, { memory: { swap: 5 } }), { message: /needs a memory limit/ });
  t.throws(() => planLimits(V2, { memory: { limit: 10, swap: 5 } }), { message: /5, is below the memory limit, 10/ });
});

test('the weight of a cpu share meets three points and never falls', (t) => {
  t.deepEqual([0, 2, 1024, 262_144, 1_000_000].map(cpuWeight), [1, 1, 100, 10_000, 10_000]);
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 262_143 }), (shares) => {
        assert.ok(Number.isInteger(cpuWeight(shares)) && cpuWeight(shares) >= 1 && cpuWeight(shares) <= 10_000);
        assert.ok(cpuWeight(shares) <= cpuWeight(shares + 1));
      }),
    ),
  );
});
