// From limits to the files that set them, for the machine at hand. Pure: what cannot be done is said before it is tried.
import { allowsEverything } from '../bpf/device-filter.ts';
import { checkResources } from './check-resources.ts';
import { type CgroupLayout, hierarchyOf, unifiedHierarchy } from './layout.ts';
import { type LimitPlan, type LimitWrite, missing, NOTHING, onController, plan, problem } from './limit-plan.ts';
import {
  cpuWritesV1,
  deviceWritesV1,
  hugetlbWritesV1,
  ioWritesV1,
  memoryWritesV1,
  networkClassWrites,
  networkPriorityWrites,
} from './limits-v1.ts';
import { cpuWritesV2, hugetlbWritesV2, ioWritesV2, memoryWritesV2, rdmaWrites } from './limits-v2.ts';
import type { CgroupDeviceRule, CgroupResources } from './resources.ts';

/** What a new cgroup has anyway, on v1 and v2. */
const INITIAL: ReadonlySet<string> = new Set([
  'cpu.cfs_period_us=100000',
  'cpu.cfs_quota_us=-1',
  'cpu.shares=1024',
  'cpu.max=max',
  'cpu.max=max 100000',
  'cpu.weight=100',
  'memory.max=max',
  'memory.swap.max=max',
  'pids.max=max',
]);

/** Whether a write changes nothing in a cgroup that was made a moment ago. Pure. */
export function isInitial({ file, value }: LimitWrite): boolean {
  return INITIAL.has(`${file}=${value}`);
}

/** Plan the writes of `resources`. Throws a RangeError on limits that contradict each other, or that no machine has. */
export function planLimits(layout: CgroupLayout, resources: CgroupResources): LimitPlan {
  checkResources(resources);
  const parts = [
    cpu(layout, resources),
    cpuset(layout, resources),
    memory(layout, resources),
    pids(layout, resources),
    io(layout, resources),
    hugetlb(layout, resources),
    network(layout, resources),
    onController(layout, 'rdma', 'RDMA limit', rdmaWrites(resources.rdma ?? {})),
    devices(layout, resources.devices ?? []),
    unified(layout, resources),
  ];
  const deviceFilter = parts.find((part) => part.deviceFilter !== undefined)?.deviceFilter;
  return {
    writes: parts.flatMap(({ writes }) => writes),
    problems: parts.flatMap(({ problems }) => problems),
    ...(deviceFilter === undefined ? {} : { deviceFilter }),
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
  if (hierarchyOf(layout, 'memory')?.version !== 2) {
    return onController(layout, 'memory', 'memory limit', memoryWritesV1(limits));
  }
  const { swappiness, disableOOMKiller = false, kernel = 0, kernelTCP = 0 } = limits;
  const problems = [
    ...(swappiness === undefined ? [] : ['swappiness: cgroup v2 has none']),
    ...(disableOOMKiller ? ['disableOOMKiller: cgroup v2 cannot switch the OOM killer off'] : []),
    ...(kernel > 0 ? ['kernel memory limit: cgroup v2 has none; kernel memory is part of the memory limit'] : []),
    ...(kernelTCP > 0 ? ['kernelTCP limit: cgroup v2 has none; buffers are part of the memory limit'] : []),
  ];
  return problems.length > 0 ? problem(...problems) : plan(memoryWritesV2(limits));
}

/** 0 and -1 both mean no limit, as `docker run --pids-limit` has it. */
function pids(layout: CgroupLayout, { pids: { limit } = {} }: CgroupResources): LimitPlan {
  if (limit === undefined) return NOTHING;
  const value = limit > 0 ? `${limit}` : 'max';
  return onController(layout, 'pids', 'pids limit', [{ controller: 'pids', file: 'pids.max', value }]);
}

function io(layout: CgroupLayout, { blockIO: limits = {} }: CgroupResources): LimitPlan {
  const version = hierarchyOf(layout, 'io')?.version;
  const leaves = [limits, ...(limits.weightDevice ?? [])].some(({ leafWeight = 0 }) => leafWeight > 0);
  if (version === 2 && leaves) return problem('leafWeight: cgroup v2 has none');
  return onController(layout, 'io', 'block I/O limit', version === 1 ? ioWritesV1(limits) : ioWritesV2(limits));
}

function hugetlb(layout: CgroupLayout, { hugepageLimits: limits = [] }: CgroupResources): LimitPlan {
  const version = hierarchyOf(layout, 'hugetlb')?.version;
  const writes = version === 1 ? hugetlbWritesV1(limits) : hugetlbWritesV2(limits);
  return onController(layout, 'hugetlb', 'huge page limit', writes);
}

/** v2 has neither controller: packets are classified by eBPF there. */
function network(layout: CgroupLayout, { network: limits = {} }: CgroupResources): LimitPlan {
  const parts = [
    onController(layout, 'net_cls', 'network class', networkClassWrites(limits)),
    onController(layout, 'net_prio', 'network priorities', networkPriorityWrites(limits)),
  ];
  return {
    writes: parts.flatMap(({ writes }) => writes),
    problems: parts.flatMap(({ problems }) => problems),
  };
}

function devices(layout: CgroupLayout, rules: readonly CgroupDeviceRule[]): LimitPlan {
  if (rules.length === 0) return NOTHING;
  const version = hierarchyOf(layout, 'devices')?.version;
  if (version === undefined) return missing('device rules', 'devices');
  if (version === 1) return plan(deviceWritesV1(rules));
  return allowsEverything(rules) ? NOTHING : { ...NOTHING, deviceFilter: rules };
}

/** The kernel takes one line in one write(2). */
function unified(layout: CgroupLayout, { unified: files = {} }: CgroupResources): LimitPlan {
  const hierarchy = unifiedHierarchy(layout);
  const entries = Object.entries(files);
  const problems = entries.flatMap(([file]) => {
    const [controller = ''] = file.split('.');
    if (hierarchy === undefined) return [`unified: '${file}' needs cgroup v2, which is not mounted here`];
    if (controller === 'cgroup' || hierarchy.controllers.includes(controller)) return [];
    return [`unified: '${file}' needs the ${controller} controller of cgroup v2, which is not there`];
  });
  const lines = entries.flatMap(([file, text]) => {
    const values = text.split('\n').filter((line, index) => line !== '' || index === 0);
    return values.map((value): LimitWrite => ({ controller: 'unified', file, value }));
  });
  return { writes: lines, problems };
}
