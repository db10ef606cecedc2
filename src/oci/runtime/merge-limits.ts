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

/**
 * What an update changes, with what it depends on: a new period means another share of a processor for the old quota, a new sum of memory
 * and swap another limit of swap. `whole` is the update over what there was.
 */
export function changedParts(update: CgroupResources, whole: CgroupResources): CgroupResources {
  const { cpu, memory } = update;
  return {
    ...update,
    ...(cpu === undefined ? {} : given({ cpu: { ...whole.cpu } })),
    ...(memory?.swap === undefined ? {} : given({ memory: { ...whole.memory } })),
  };
}

/** Without the part that has nothing in it. */
export function given<T extends Readonly<Record<string, object>>>(part: T): Partial<T> {
  return Object.values(part).some((value) => Object.keys(value).length > 0) ? part : {};
}
