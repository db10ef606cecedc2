// cgroups(7), "Cgroups v2 delegation": who owns a cgroup's directory may make cgroups below and move processes among them.
import { chownSync } from 'node:fs';

import { isErrno } from '../errno.ts';
import { readControlIfPresent } from './control-file.ts';
import type { Place } from './layout.ts';

const LIST = '/sys/kernel/cgroup/delegate';
/** What config-linux.md, "Cgroup ownership", names for kernels without that list (before 4.15). */
const FALLBACK = 'cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n';

/**
 * Give a cgroup to a user of the host: the directory, and of its files those that the kernel says are safe to give, for limits are
 * for whoever set them. Nothing happens where v1 is in use, which cannot be delegated safely. Throws what chown(2) throws.
 */
export function delegatePlaces(places: readonly Place[], uid: number): void {
  const [place, ...others] = places;
  if (place?.hierarchy.version !== 2 || others.length > 0) return;
  const files = readControlIfPresent(LIST) ?? FALLBACK;
  for (const name of ['.', ...files.split('\n').filter(Boolean)]) chownIfPresent(`${place.directory}/${name}`, uid);
}

function chownIfPresent(path: string, uid: number): void {
  try {
    chownSync(path, uid, -1);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
