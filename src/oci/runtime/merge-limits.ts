// Limits over limits. Pure.
import type { CgroupResources } from '../../linux/cgroup/resources.ts';

/** `base` where `over` says nothing: limit by limit of processors, memory, processes and block devices; else part by part. */
export function mergeLimits(base: CgroupResources, over: CgroupResources): CgroupResources {
  return {
    ...base,
    ...over,
    ...given({ cpu: { ...base.cpu, ...over.cpu } }),
    ...given({ memory: { ...base.memory, ...over.memory } }),
    ...given({ pids: { ...base.pids, ...over.pids } }),
    ...given({ blockIO: { ...base.blockIO, ...over.blockIO } }),
    ...given({ unified: { ...base.unified, ...over.unified } }),
  };
}

/** Without the part that has nothing in it. */
export function given<T extends Readonly<Record<string, object>>>(part: T): Partial<T> {
  return Object.values(part).some((value) => Object.keys(value).length > 0) ? part : {};
}
