// The processes of one cgroup, without its limits and numbers: all that most commands of a runtime need, and little to load.
import { existsSync } from 'node:fs';

import type { CgroupLayout, Place } from './layout.ts';
import { freeze, isFrozen, killMembers, memberPids, thaw } from './members.ts';
import { everyPlace, placeOf } from './place.ts';

export type CgroupProcesses = {
  /** SIGKILL to all processes; they end a moment later. */
  kill(): void;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  frozen(): boolean;
  /** Process ids, those in sub-cgroups included. */
  procs(): number[];
  /** Whether a frozen process dies of SIGKILL: on cgroup2 it does. */
  readonly diesFrozen: boolean;
};

/** The processes of the cgroup `path`; none when it is gone. Throws CgroupError PATH_INVALID. */
export function openProcesses(layout: CgroupLayout, path: string): CgroupProcesses {
  const places = existingPlaces(layout, path);
  return {
    kill: () => killMembers(places),
    freeze: () => freeze(places),
    thaw: () => thaw(places),
    frozen: () => isFrozen(places),
    procs: () => memberPids(places),
    diesFrozen: placeOf(places, 'unified') !== undefined,
  };
}

/** The directories of the cgroup `path` that are there. */
export function existingPlaces(layout: CgroupLayout, path: string): Place[] {
  return everyPlace(layout, path).filter(({ directory }) => existsSync(directory));
}
