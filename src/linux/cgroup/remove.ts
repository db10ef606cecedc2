// Remove a cgroup: rmdir(2) from the leaves up, in every hierarchy.
import { rmdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { isErrno } from '../errno.ts';
import { CgroupError } from './error.ts';
import type { Place } from './layout.ts';
import { memberPids, subtree } from './members.ts';

const TIMEOUT_MS = 2_000;

/**
 * Remove the directories of a cgroup with the sub-cgroups that its processes made. The kernel lets go of a cgroup a
 * moment after its last process: EBUSY is waited for, up to 2 s. What is gone already is fine. Rejects with CgroupError
 * BUSY that names the processes left.
 */
export async function removePlaces(places: readonly Place[]): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  let left = places.filter((place) => !removed(place.directory));
  for (let pauseMs = 1; left.length > 0; pauseMs = Math.min(pauseMs * 2, 50)) {
    if (performance.now() > deadline) {
      const pids = memberPids(left);
      const holders = pids.length === 0 ? 'no process is in it' : `processes ${pids.join(', ')} are in it`;
      throw new CgroupError('BUSY', `Cannot remove ${left[0]?.directory}: EBUSY (${holders})`);
    }
    await sleep(pauseMs);
    left = left.filter((place) => !removed(place.directory));
  }
}

/** Whether the directory is gone now. One system call when it has no sub-cgroups. */
function removed(directory: string): boolean {
  if (removedLeaf(directory)) return true;
  return subtree(directory)
    .toReversed()
    .every((path) => removedLeaf(path));
}

function removedLeaf(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    if (isErrno(error, 'EBUSY', 'ENOTEMPTY')) return false;
    throw error;
  }
}
