// A container that runs out of memory ends as a whole where the kernel can do that: memory.oom.group of cgroup v2.
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { hierarchyOf, readCgroupLayout } from '../../src/linux/cgroup/layout.ts';
import { readState } from '../../src/oci/runtime/state.ts';
import { sceneTests } from './scene-tests.ts';

const { usable, suffix, here, running } = sceneTests();
const v2 = suffix === '' && hierarchyOf(readCgroupLayout(), 'memory')?.version === 2;

// The shell waits for nobody: without the group it would outlive what asks for too much.
const SCRIPT = 'head -c 200000000 /dev/zero | tail -c 150000000 > /dev/null & while :; do sleep 1; done';

(v2 ? usable : test.skip)(
  `when one process of a container runs out of memory all end${v2 ? '' : ' (skipped: needs memory on cgroup v2)'}`,
  async (t) => {
    const limit = 24 << 20;
    const id = await running(t, { command: ['sh', '-c', SCRIPT], resources: { memory: { limit, swap: limit } } });
    const status = (): string | undefined => readState(here().stateDirectory, id)?.status;
    for (let tenths = 0; tenths < 300 && status() !== 'stopped'; tenths++) await sleep(100);
    t.is(status(), 'stopped');
  },
);
