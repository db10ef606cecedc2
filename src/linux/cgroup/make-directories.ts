// Make the directories of a cgroup, and what the kernel wants done before they can be used.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

import { isErrno } from '../errno.ts';
import { readControl, writeControl } from './control-file.ts';
import { CgroupError } from './error.ts';
import { type Controller, hasController, type Place } from './layout.ts';
import { WANTED_IN_V2 } from './place.ts';

/** Make the directory of `place` and those above it. Returns whether it was made, rather than there before. */
export function makePlace({ hierarchy, directory }: Place): boolean {
  return makeDirectory(directory, hierarchy.mountPoint);
}

/** As `makePlace` in a cgroup that is there. Throws CgroupError GONE when it is not. */
export function makePlaceBelow({ directory }: Place): boolean {
  return makeDirectory(directory, dirname(directory));
}

/**
 * Make a directory usable: on v2 with the controllers that every container has, and `asked`, enabled from the top down;
 * in v1's cpuset with the processors and memory nodes of the cgroup above. Throws CgroupError UNSUPPORTED.
 */
export function preparePlace(place: Place, asked: readonly Controller[]): void {
  const { hierarchy, directory } = place;
  if (hierarchy.version === 2) enableControllers(place, asked);
  else if (hasController(hierarchy, 'cpuset')) inheritCpuset(directory, hierarchy.mountPoint);
}

function makeDirectory(directory: string, mountPoint: string): boolean {
  try {
    mkdirSync(directory, 0o755);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    const parent = dirname(directory);
    if (!isErrno(error, 'ENOENT')) throw error;
    if (!parent.startsWith(`${mountPoint}/`))
      throw new CgroupError('GONE', `There is no cgroup ${parent}`, { cause: error });
    makeDirectory(parent, mountPoint);
    return makeDirectory(directory, mountPoint);
  }
}

/** v1: a cpuset without processors or memory nodes takes no process, and a new one has none. */
function inheritCpuset(directory: string, mountPoint: string): void {
  if (directory === mountPoint) return;
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (readControl(`${directory}/${file}`).trim() !== '') continue;
    inheritCpuset(dirname(directory), mountPoint);
    writeControl(`${directory}/${file}`, readControl(`${dirname(directory)}/${file}`).trim());
  }
}

/** v2: a controller is there when every cgroup above has it in cgroup.subtree_control. */
function enableControllers({ hierarchy, directory }: Place, asked: readonly Controller[]): void {
  const wanted = [...new Set([...WANTED_IN_V2, ...asked])].filter((name) => hierarchy.controllers.includes(name));
  const there = wanted.length === 0 ? [] : wordsOf(`${directory}/cgroup.controllers`);
  if (wanted.every((name) => there.includes(name))) return;
  for (const above of ancestors(directory, hierarchy.mountPoint)) {
    const enabled = wordsOf(`${above}/cgroup.subtree_control`);
    const lacking = wanted.filter((name) => !enabled.includes(name)).map((name) => `+${name}`);
    if (lacking.length > 0) enable(above, lacking.join(' '));
  }
}

function enable(directory: string, controllers: string): void {
  try {
    writeControl(`${directory}/cgroup.subtree_control`, controllers);
  } catch (error) {
    const hint = isErrno(error, 'EBUSY') ? ' (it holds processes itself; on v2 only leaves may)' : '';
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new CgroupError('UNSUPPORTED', `Cannot enable '${controllers}' below ${directory}: ${code}${hint}`, {
      cause: error,
    });
  }
}

function wordsOf(path: string): string[] {
  return readControl(path).split(/\s+/).filter(Boolean);
}

/** The directories from `mountPoint` down to the parent of `directory`. */
function ancestors(directory: string, mountPoint: string): string[] {
  if (directory === mountPoint) return [];
  return [...ancestors(dirname(directory), mountPoint), dirname(directory)];
}
