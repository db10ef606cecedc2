// From limits to the files that set them, for the machine at hand. Pure: what cannot be done is said before it is tried.
import { type CgroupLayout, type Controller, hierarchyOf, unifiedHierarchy } from './layout.ts';
import { cpuWritesV1, deviceWritesV1, hugetlbWritesV1, ioWritesV1, memoryWritesV1 } from './limits-v1.ts';
import { cpuWritesV2, hugetlbWritesV2, ioWritesV2, memoryWritesV2 } from './limits-v2.ts';
import type { CgroupDeviceRule, CgroupResources } from './resources.ts';

/** One value for one file of a controller. */
export type LimitWrite = {
  readonly controller: Controller | 'unified';
  readonly file: string;
  readonly value: string;
  /** The name of the file, and the form of its value, on kernels that do not have `file`. */
  readonly otherFile?: string;
  readonly otherValue?: string;
  /** What a missing file means. */
  readonly hint?: string;
  /** A missing file is noted instead of an error. */
  readonly optional?: boolean;
};

export type LimitPlan = {
  readonly writes: readonly LimitWrite[];
  /** What this machine cannot do, one sentence each. Not empty: nothing may be started. */
  readonly problems: readonly string[];
  /** What is left out although it was asked for. */
  readonly notes: readonly string[];
};

/** What a new cgroup has anyway, on v1 and v2. */
const INITIAL: Readonly<Record<string, string>> = {
  'cpu.cfs_period_us': '100000',
  'cpu.cfs_quota_us': '-1',
  'cpu.shares': '1024',
  'cpu.max': 'max 100000',
  'cpu.weight': '100',
  'memory.max': 'max',
  'pids.max': 'max',
};

/** Whether a write changes nothing in a cgroup that was made a moment ago. Pure. */
export function isInitial({ file, value }: LimitWrite): boolean {
  return INITIAL[file] === value;
}

/** Plan the writes of `resources`. Throws a RangeError when limits contradict each other. */
export function planLimits(layout: CgroupLayout, resources: CgroupResources): LimitPlan {
  const parts = [
    cpu(layout, resources),
    cpuset(layout, resources),
    memory(layout, resources),
    pids(layout, resources),
    io(layout, resources),
    hugetlb(layout, resources),
    devices(layout, resources.devices ?? []),
    unified(layout, resources),
  ];
  return {
    writes: parts.flatMap(({ writes }) => writes),
    problems: parts.flatMap(({ problems }) => problems),
    notes: parts.flatMap(({ notes }) => notes),
  };
}

function cpu(layout: CgroupLayout, { cpu: limits = {} }: CgroupResources): LimitPlan {
  const version = hierarchyOf(layout, 'cpu')?.version;
  const writes = version === 1 ? cpuWritesV1(limits) : cpuWritesV2(limits);
  if (version === 2 && (limits.realtimeRuntime || limits.realtimePeriod)) {
    return problem('realtime limit: cgroup v2 has none');
  }
  return onController(layout, 'cpu', 'cpu limit', writes);
}

function cpuset(layout: CgroupLayout, { cpu: { cpus = '', mems = '' } = {} }: CgroupResources): LimitPlan {
  const values = { 'cpuset.cpus': cpus, 'cpuset.mems': mems };
  const writes = Object.entries(values).flatMap(([file, value]): LimitWrite[] =>
    value === '' ? [] : [{ controller: 'cpuset', file, value }],
  );
  return onController(layout, 'cpuset', 'cpuset', writes);
}

function memory(layout: CgroupLayout, { memory: limits = {} }: CgroupResources): LimitPlan {
  const version = hierarchyOf(layout, 'memory')?.version;
  if (version === 2 && limits.swappiness !== undefined) return problem('swappiness: cgroup v2 has none');
  if (version === 2 && limits.disableOOMKiller === true) {
    return problem('disableOOMKiller: cgroup v2 cannot switch the OOM killer off');
  }
  const writes = version === 2 ? memoryWritesV2(limits) : memoryWritesV1(limits);
  return onController(layout, 'memory', 'memory limit', writes);
}

/** 0 and -1 both mean no limit, as `docker run --pids-limit` has it. */
function pids(layout: CgroupLayout, { pids: { limit } = {} }: CgroupResources): LimitPlan {
  if (limit === undefined) return NOTHING;
  const value = limit > 0 ? `${limit}` : 'max';
  return onController(layout, 'pids', 'pids limit', [{ controller: 'pids', file: 'pids.max', value }]);
}

function io(layout: CgroupLayout, { blockIO: limits = {} }: CgroupResources): LimitPlan {
  const version = hierarchyOf(layout, 'io')?.version;
  const writes = version === 1 ? ioWritesV1(limits) : ioWritesV2(limits);
  return onController(layout, 'io', 'block I/O limit', writes);
}

function hugetlb(layout: CgroupLayout, { hugepageLimits: limits = [] }: CgroupResources): LimitPlan {
  const version = hierarchyOf(layout, 'hugetlb')?.version;
  const writes = version === 1 ? hugetlbWritesV1(limits) : hugetlbWritesV2(limits);
  return onController(layout, 'hugetlb', 'huge page limit', writes);
}

function devices(layout: CgroupLayout, rules: readonly CgroupDeviceRule[]): LimitPlan {
  if (rules.length === 0) return NOTHING;
  const version = hierarchyOf(layout, 'devices')?.version;
  if (version === undefined) return missing('device rules', 'devices');
  if (version === 1) return plan(deviceWritesV1(rules));
  if (rules.every(({ allow }) => allow)) return NOTHING;
  return { ...NOTHING, notes: ['device rules: not applied, on cgroup v2 they need an eBPF program'] };
}

function unified(layout: CgroupLayout, { unified: files = {} }: CgroupResources): LimitPlan {
  const entries = Object.entries(files);
  if (entries.length === 0) return NOTHING;
  const hierarchy = unifiedHierarchy(layout);
  const problems = entries.flatMap(([file]) => {
    const [controller = ''] = file.split('.');
    if (file.includes('/') || controller === file) return [`unified: '${file}' is no file of a cgroup`];
    const known = controller === 'cgroup' || hierarchy?.controllers.includes(controller) === true;
    return known ? [] : [`unified: '${file}' needs the ${controller} controller of cgroup v2, which is not there`];
  });
  return { ...plan(entries.map(([file, value]) => ({ controller: 'unified', file, value }))), problems };
}

const NOTHING: LimitPlan = { writes: [], problems: [], notes: [] };

function plan(writes: readonly LimitWrite[]): LimitPlan {
  return { ...NOTHING, writes };
}

function problem(text: string): LimitPlan {
  return { ...NOTHING, problems: [text] };
}

/** The writes, or what keeps them from being possible: the limit is named as people know it. */
function onController(
  layout: CgroupLayout,
  controller: Controller,
  limit: string,
  writes: readonly LimitWrite[],
): LimitPlan {
  if (writes.length === 0) return NOTHING;
  if (hierarchyOf(layout, controller) === undefined) return missing(limit, controller);
  return plan(writes);
}

function missing(limit: string, controller: Controller): LimitPlan {
  return problem(`${limit}: no ${controller} controller on this machine`);
}
