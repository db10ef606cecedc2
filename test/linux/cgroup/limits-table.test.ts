import test from 'ava';

import type { CgroupLayout } from '../../../src/linux/cgroup/layout.ts';
import { planLimits } from '../../../src/linux/cgroup/limits.ts';
import type { CgroupResources } from '../../../src/linux/cgroup/resources.ts';
import { assertGolden } from '../../assert-golden.ts';
import { V1, V2 } from './machines.ts';

const EVERYWHERE: CgroupResources = {
  memory: { limit: 2 ** 30, reservation: 2 ** 29, swap: 2 ** 31, kernel: -1, kernelTCP: -1, useHierarchy: true },
  cpu: { shares: 2000, quota: 50_000, period: 100_000, burst: 10_000, idle: 0, cpus: '0-1', mems: '0' },
  pids: { limit: 100 },
  blockIO: {
    weight: 500,
    weightDevice: [{ major: 8, minor: 0, weight: 100 }],
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 2 ** 53 }],
    throttleWriteBpsDevice: [{ major: 8, minor: 0, rate: 2 }],
    throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 3 }],
    throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 0 }],
  },
  hugepageLimits: [{ pageSize: '2MB', limit: 2 ** 22 }],
  rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10_000 }, rxe3: { hcaObjects: 10_000 } },
};
const V1_ONLY: CgroupResources = {
  memory: { kernel: 2 ** 26, kernelTCP: 2 ** 20, swappiness: 10, disableOOMKiller: true },
  cpu: { realtimeRuntime: 1000, realtimePeriod: 10_000 },
  blockIO: { leafWeight: 10, weightDevice: [{ major: 8, minor: 0, leafWeight: 20 }] },
  network: { classID: 0x10_0001, priorities: [{ name: 'eth0', priority: 5 }] },
};
const V2_ONLY: CgroupResources = { unified: { 'memory.high': '1G', 'io.max': '8:0 rbps=1\n8:16 rbps=2' } };

function print(version: string, layout: CgroupLayout, resources: CgroupResources): string[] {
  const { writes, problems } = planLimits(layout, resources);
  const lines = writes.map(({ file, value, otherFile, otherValue = value, optional }) => {
    const other = otherFile === undefined ? '' : `   or ${otherFile} = ${otherValue}`;
    return `${file} = ${value}${other}${optional === true ? '   where it exists' : ''}`;
  });
  const shown = problems.length > 0 ? problems.map((problem) => `error: ${problem}`) : lines;
  return shown.map((line) => `${version}  ${line}`);
}

test('every field, as it is written on v1 and v2', (t) => {
  const lines = [EVERYWHERE, V1_ONLY, V2_ONLY].flatMap((resources) => [
    ...print('v1', V1, resources),
    ...print('v2', V2, resources),
    '',
  ]);
  assertGolden(t, 'cgroup/limits.txt', lines.join('\n'));
});
