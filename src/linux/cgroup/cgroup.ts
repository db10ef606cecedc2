// One container's control group: v1, v2 or both, behind one interface. Only cgroups that are named are ever touched.

import { applyLimits } from './apply-limits.ts';
import { existingPlaces } from './cgroup-processes.ts';
import { completeUpdate } from './complete-update.ts';
import { writeControl } from './control-file.ts';
import { delegatePlaces } from './delegate.ts';
import { filterDevices } from './device-filter.ts';
import { CgroupError } from './error.ts';
import { type CgroupLayout, type Controller, hasController, type Place } from './layout.ts';
import type { LimitPlan, LimitWrite } from './limit-plan.ts';
import { isInitial, planLimits } from './limits.ts';
import { makePlace, makePlaceBelow, preparePlace } from './make-directories.ts';
import { freeze, isFrozen, killMembers, memberPids, thaw } from './members.ts';
import { type CgroupEntry, entryOf, everyPlace, placeOf, placesFor } from './place.ts';
import { removePlaces } from './remove.ts';
import type { CgroupResources } from './resources.ts';
import { type CgroupStats, readOomKills, readStats } from './stats.ts';

export type Cgroup = {
  readonly path: string;
  /** v1: files into which the container's first process writes `0`. v2: see `bornIn`. Both on a hybrid machine. */
  readonly tasksFiles: readonly string[];
  /** v2: the directory for clone3(CLONE_INTO_CGROUP). */
  readonly bornIn: string | undefined;
  /** What was asked for and left out, for people. */
  readonly notes: readonly string[];
  /** Change limits; those not named stay. Returns notes. Throws CgroupError UNSUPPORTED, REFUSED or GONE. */
  update(resources: CgroupResources): readonly string[];
  /** Let a user of the host manage what is below. On v2 alone; else nothing happens. */
  delegate(uid: number): void;
  /** SIGKILL to all processes; they end a moment later. */
  kill(): void;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  frozen(): boolean;
  /** Process ids, those in sub-cgroups included. */
  procs(): number[];
  /** Numbers of now, read from the kernel on each call. */
  stats(): CgroupStats;
  /** How many processes the OOM killer ended here. */
  oomKills(): number;
  /** Remove it with its sub-cgroups; fine when gone. Rejects with CgroupError BUSY while processes are in it. */
  remove(): Promise<void>;
};

export type CreateOptions = {
  /** The device rules are those of the cgroup above, which must exist: see `shareDeviceRules`. */
  readonly inheritsDevices?: boolean;
};

/**
 * Make the cgroup `path` (absolute below each hierarchy's mount point) with its limits; nobody is in it yet. A leftover
 * of the same name is taken over, and noted when processes are in it.
 *
 * Throws CgroupError UNSUPPORTED (naming each limit that this machine cannot do, before anything is made), REFUSED,
 * FROZEN (a leftover that would stop whoever joins), GONE (no cgroup to inherit from) or PATH_INVALID; a RangeError on limits that
 * contradict each other. After a throw the cgroup is gone again; cgroups above it that had to be made are not.
 */
export function createCgroup(
  layout: CgroupLayout,
  path: string,
  resources: CgroupResources = {},
  { inheritsDevices = false }: CreateOptions = {},
): Cgroup {
  const { writes, deviceFilter } = possible(layout, path, resources);
  const places = placesFor(layout, path, writes);
  const made: Place[] = [];
  try {
    for (const place of places) {
      const bound = inheritsDevices && hasController(place.hierarchy, 'devices') && place.hierarchy.version === 1;
      if (bound ? makePlaceBelow(place) : makePlace(place)) made.push(place);
      preparePlace(place, askedControllers(writes));
    }
    const isNew = made.length === places.length;
    const leftover = isNew ? [] : examineLeftover(places, path);
    const left = applyLimits(places, isNew ? writes.filter((one) => !isInitial(one)) : writes);
    setDeviceFilter(places, deviceFilter, { isNew });
    return cgroupAt(layout, path, { places, notes: [...leftover, ...left] });
  } catch (error) {
    void removePlaces(made).catch(() => undefined);
    throw error;
  }
}

/** The cgroup `path` as it is, possibly gone: then it has no processes and no numbers. Throws CgroupError PATH_INVALID. */
export function openCgroup(layout: CgroupLayout, path: string): Cgroup {
  return cgroupAt(layout, path, { places: existingPlaces(layout, path), notes: [] });
}

/** How a process would enter the cgroup `path` once it was made with these resources. Touches nothing. */
export function cgroupEntry(layout: CgroupLayout, path: string, resources: CgroupResources = {}): CgroupEntry {
  return entryOf(placesFor(layout, path, planLimits(layout, resources).writes));
}

type Parts = { readonly places: readonly Place[]; readonly notes: readonly string[] };

function cgroupAt(layout: CgroupLayout, path: string, { places, notes }: Parts): Cgroup {
  return {
    path,
    notes,
    ...entryOf(places),
    update: (resources) => update(layout, path, resources),
    delegate: (uid) => delegatePlaces(places, uid),
    kill: () => killMembers(places),
    freeze: () => freeze(places),
    thaw: () => thaw(places),
    frozen: () => isFrozen(places),
    procs: () => memberPids(places),
    stats: () => readStats(places),
    oomKills: () => readOomKills(places),
    // A later update may have added a hierarchy.
    remove: () => removePlaces(everyPlace(layout, path)),
  };
}

function update(layout: CgroupLayout, path: string, resources: CgroupResources): readonly string[] {
  const existing = existingPlaces(layout, path);
  if (existing.length === 0) throw new CgroupError('GONE', `There is no cgroup ${path}`);
  const { writes, deviceFilter } = possible(layout, path, completeUpdate(existing, resources));
  const members = memberPids(existing);
  const places = placesFor(layout, path, writes);
  const added = places.filter(makePlace);
  for (const place of places) preparePlace(place, askedControllers(writes));
  const notes = applyLimits(places, writes);
  setDeviceFilter(places, deviceFilter, { isNew: false });
  for (const { directory } of added) for (const pid of members) writeControl(`${directory}/cgroup.procs`, `${pid}`);
  return notes;
}

function setDeviceFilter(
  places: readonly Place[],
  rules: LimitPlan['deviceFilter'],
  options: { readonly isNew: boolean },
): void {
  const place = placeOf(places, 'unified');
  if (rules !== undefined && place !== undefined) filterDevices(place.directory, rules, options);
}

function possible(layout: CgroupLayout, path: string, resources: CgroupResources): LimitPlan {
  const plan = planLimits(layout, resources);
  if (plan.problems.length === 0) return plan;
  throw new CgroupError('UNSUPPORTED', `Cannot limit ${path}: ${plan.problems.join('; ')}`);
}

function askedControllers(writes: readonly LimitWrite[]): Controller[] {
  return writes.flatMap(({ controller, file }) => {
    if (controller !== 'unified') return [controller];
    return [file.split('.')[0] as Controller];
  });
}

function examineLeftover(places: readonly Place[], path: string): string[] {
  if (isFrozen(places)) throw new CgroupError('FROZEN', `Cannot use the cgroup ${path}: it exists and is frozen`);
  const pids = memberPids(places);
  return pids.length === 0 ? [] : [`the cgroup existed, with processes ${pids.join(', ')}`];
}
