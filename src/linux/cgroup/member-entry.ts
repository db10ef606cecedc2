// How a process comes to be beside one that is in a cgroup of v2 that its container manages.
import { readFileSync } from 'node:fs';

import { isErrno } from '../errno.ts';
import { type CgroupLayout, unifiedHierarchy } from './layout.ts';
import type { CgroupEntry } from './place.ts';

/**
 * The entry to the cgroup of process `pid` when that is `entry`'s on v2, or below it. A container that has enabled controllers
 * there has left its own cgroup, which takes no process any more (cgroups(7), "no internal processes"); and where it owns the
 * files, it takes a descriptor opened outside of its user namespace to write to them. Else `entry` itself. Throws what reading
 * /proc throws, but for a process that is gone.
 */
export function memberEntry(layout: CgroupLayout, entry: CgroupEntry, pid: number): CgroupEntry {
  const unified = unifiedHierarchy(layout);
  if (unified === undefined || entry.bornIn === undefined || entry.tasksFiles.length > 0) return entry;
  const directory = `${unified.mountPoint}${cgroupOf(pid) ?? ''}`;
  if (directory !== entry.bornIn && !directory.startsWith(`${entry.bornIn}/`)) return entry;
  return { tasksFiles: [`${directory}/cgroup.procs`], bornIn: undefined };
}

function cgroupOf(pid: number): string | undefined {
  try {
    return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
