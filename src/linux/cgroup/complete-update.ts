// An update names what changes. On v2 some files hold two values of OCI's, and what was not named is read from them.
import { parseLimit, readControl, readControlIfPresent } from './control-file.ts';
import { CgroupError } from './error.ts';
import type { Place } from './layout.ts';
import { placeOf } from './place.ts';
import type { CgroupResources, CpuLimits, MemoryLimits } from './resources.ts';

/**
 * `resources` with what the kernel has for the quota beside a new period, and for memory beside a new limit of memory and swap.
 * Throws CgroupError REFUSED when `checkBeforeUpdate` asks for it and the memory limit is below what is used.
 */
export function completeUpdate(places: readonly Place[], resources: CgroupResources): CgroupResources {
  const { cpu, memory } = resources;
  return {
    ...resources,
    ...(cpu === undefined ? {} : { cpu: withQuota(places, cpu) }),
    ...(memory === undefined ? {} : { memory: withMemory(places, memory) }),
  };
}

/** cpu.max is `QUOTA PERIOD`. */
function withQuota(places: readonly Place[], cpu: CpuLimits): CpuLimits {
  const place = placeOf(places, 'cpu');
  if (place?.hierarchy.version !== 2 || !cpu.period || cpu.quota) return cpu;
  const [quota = 'max'] = (readControlIfPresent(`${place.directory}/cpu.max`) ?? '').split(' ');
  return { ...cpu, quota: parseLimit(quota) ?? -1 };
}

function withMemory(places: readonly Place[], memory: MemoryLimits): MemoryLimits {
  const place = placeOf(places, 'memory');
  if (place?.hierarchy.version !== 2) return memory;
  const { limit = 0, swap = 0, checkBeforeUpdate = false } = memory;
  if (limit > 0 && checkBeforeUpdate) checkUsage(place.directory, limit);
  if (limit !== 0 || swap <= 0) return memory;
  return { ...memory, limit: parseLimit(readControl(`${place.directory}/memory.max`).trim()) ?? -1 };
}

function checkUsage(directory: string, limit: number): void {
  const usage = Number(readControl(`${directory}/memory.current`));
  if (usage <= limit) return;
  throw new CgroupError('REFUSED', `Cannot limit ${directory} to ${limit} bytes of memory: it uses ${usage}`);
}
