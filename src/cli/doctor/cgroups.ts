// Control groups: which hierarchies there are, and what they can limit.
import {
  hierarchyOf,
  readCgroupLayout,
  unifiedHierarchy,
  type CgroupLayout,
  type Controller,
} from '../../linux/cgroup/layout.ts';
import { fail, ok, warn, type Check } from './check.ts';

const LIMITS: readonly { readonly controller: Controller; readonly gives: string }[] = [
  { controller: 'cpu', gives: 'cpu limits' },
  { controller: 'memory', gives: 'memory limits' },
  { controller: 'pids', gives: 'process limits' },
  { controller: 'io', gives: 'disk metrics' },
];

/** What the control groups of this machine can limit and measure. */
export function cgroupChecks(layout: CgroupLayout = readCgroupLayout()): Check[] {
  return [hierarchies(layout), controllers(layout)];
}

function hierarchies(layout: CgroupLayout): Check {
  const unified = unifiedHierarchy(layout);
  const old = layout.hierarchies.filter(({ version }) => version === 1).length;
  if (layout.hierarchies.length === 0) {
    return fail('cgroups', 'no hierarchy is mounted', 'mount -t cgroup2 none /sys/fs/cgroup');
  }
  if (unified === undefined) {
    return warn('cgroups', `v1 only, ${old} hierarchies`, 'cgroup2 freezes and kills at once; mount it beside v1');
  }
  return ok('cgroups', old === 0 ? 'v2' : `hybrid: v2 and ${old} v1 hierarchies`);
}

function controllers(layout: CgroupLayout): Check {
  const missing = LIMITS.filter(({ controller }) => hierarchyOf(layout, controller) === undefined);
  if (missing.length === 0) return ok('limits', LIMITS.map(({ gives }) => gives).join(', '));
  const names = missing.map(({ controller }) => controller).join(', ');
  const lost = missing.map(({ gives }) => gives).join(', ');
  return warn(
    'limits',
    `no controller ${names}: no ${lost}`,
    'Enable it in the kernel: cgroup_enable= of the command line',
  );
}
