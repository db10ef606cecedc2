// What tests of cgroups share: cgroups of their own below one parent, gone at the end.
import test, { type ExecutionContext } from 'ava';

import { type Cgroup, createCgroup, openCgroup } from '../../src/linux/cgroup/cgroup.ts';
import { type CgroupLayout, type Controller, hierarchyOf, readCgroupLayout } from '../../src/linux/cgroup/layout.ts';
import type { CgroupResources } from '../../src/linux/cgroup/resources.ts';
import { cgroupsUnusable, until } from './in-cgroup.ts';

type Tests = typeof test | typeof test.skip;

export type CgroupScene = {
  /** Of this machine; without hierarchies where cgroups cannot be tested. */
  readonly layout: CgroupLayout;
  readonly usable: Tests;
  /** A test that needs controllers; skipped, with their names as the reason for its title, where one is missing. */
  readonly needs: (...controllers: readonly Controller[]) => { readonly test: Tests; readonly reason: string };
  /** Make a cgroup that is killed and removed at the end of the test. */
  readonly make: (t: ExecutionContext, resources?: CgroupResources, machine?: CgroupLayout) => Cgroup;
};

/** To be called once in a test file. */
export function cgroupScene(): CgroupScene {
  const parent = `/berth-test-${process.pid}`;
  const unusable = cgroupsUnusable();
  const layout: CgroupLayout = unusable === undefined ? readCgroupLayout() : { hierarchies: [] };
  if (unusable === undefined) test.after.always(() => openCgroup(layout, parent).remove());
  return {
    layout,
    usable: unusable === undefined ? test : test.skip,
    needs: (...controllers) => {
      const missing = controllers.filter((controller) => hierarchyOf(layout, controller) === undefined);
      const reason = unusable ?? (missing.length === 0 ? '' : `no ${missing.join(', ')} controller here`);
      return { test: reason === '' ? test : test.skip, reason: reason === '' ? '' : ` (skipped: ${reason})` };
    },
    make: (t, resources = {}, machine = layout) => {
      const name = t.title.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 60);
      const cgroup = createCgroup(machine, `${parent}/${name}`, resources);
      t.teardown(() => end(cgroup));
      return cgroup;
    },
  };
}

async function end(cgroup: Cgroup): Promise<void> {
  cgroup.kill();
  await until(() => cgroup.procs().length === 0, 'the cgroup is empty');
  await cgroup.remove();
}
