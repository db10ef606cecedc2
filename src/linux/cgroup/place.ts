// Which directories make up one container's cgroup. Pure.
import {
  type CgroupLayout,
  checkCgroupPath,
  type Controller,
  hasController,
  type Hierarchy,
  hierarchyOf,
  type Place,
  unifiedHierarchy,
} from './layout.ts';
import type { LimitWrite } from './limit-plan.ts';

/** How a process becomes a member. On a hybrid machine both are needed. */
export type CgroupEntry = {
  /** v1: a single-threaded process writes `0` into each, which skips the global lock that cgroup.procs takes. */
  readonly tasksFiles: readonly string[];
  /** v2: the directory for clone3(CLONE_INTO_CGROUP). */
  readonly bornIn: string | undefined;
};

// Accounting and limits that every container has. The freezer is for machines without cgroup2, which freezes and kills
// better; the others are joined when a limit asks for them.
const WANTED: readonly Controller[] = ['cpu', 'cpuacct', 'memory', 'pids', 'devices', 'io'];
const ON_DEMAND: readonly Controller[] = ['freezer', 'cpuset', 'hugetlb', 'rdma', 'net_cls', 'net_prio'];

/** The controllers that are enabled on v2 for every container. */
export const WANTED_IN_V2: readonly Controller[] = ['cpu', 'memory', 'pids', 'io'];

/** The directories of the cgroup `path`, one per hierarchy that matters. Throws CgroupError PATH_INVALID. */
export function placesFor(layout: CgroupLayout, path: string, writes: readonly LimitWrite[]): Place[] {
  checkCgroupPath(path);
  const asked = writes.flatMap(({ controller }) => (controller === 'unified' ? [] : [controller]));
  const unified = unifiedHierarchy(layout);
  const freezer = unified === undefined ? hierarchyOf(layout, 'freezer') : undefined;
  const chosen = new Set([...WANTED, ...asked].map((controller) => hierarchyOf(layout, controller)));
  return layout.hierarchies
    .filter((hierarchy) => chosen.has(hierarchy) || hierarchy === unified || hierarchy === freezer)
    .map((hierarchy) => placeIn(hierarchy, path));
}

/** The directory of the cgroup `path` in every hierarchy that it may ever have been given. */
export function everyPlace(layout: CgroupLayout, path: string): Place[] {
  checkCgroupPath(path);
  const usable = new Set([...WANTED, ...ON_DEMAND].map((controller) => hierarchyOf(layout, controller)));
  const unified = unifiedHierarchy(layout);
  return layout.hierarchies
    .filter((hierarchy) => usable.has(hierarchy) || hierarchy === unified)
    .map((hierarchy) => placeIn(hierarchy, path));
}

/** Where `controller` of this cgroup is: on v1 if it has a v1 place, else on v2. */
export function placeOf(places: readonly Place[], controller: Controller | 'unified'): Place | undefined {
  const v2 = places.find(({ hierarchy }) => hierarchy.version === 2);
  if (controller === 'unified') return v2;
  const v1 = places.find(({ hierarchy }) => hierarchy.version === 1 && hasController(hierarchy, controller));
  if (v1 !== undefined) return v1;
  return v2 !== undefined && hasController(v2.hierarchy, controller) ? v2 : undefined;
}

/** How to join a cgroup of these places. */
export function entryOf(places: readonly Place[]): CgroupEntry {
  return {
    tasksFiles: places.filter(({ hierarchy }) => hierarchy.version === 1).map(({ directory }) => `${directory}/tasks`),
    bornIn: places.find(({ hierarchy }) => hierarchy.version === 2)?.directory,
  };
}

/** The directory of `path` in one hierarchy. */
export function placeIn(hierarchy: Hierarchy, path: string): Place {
  return { hierarchy, directory: `${hierarchy.mountPoint}${path}` };
}
