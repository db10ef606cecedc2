// The log files of a container: one a run, written by the container itself, kept small from the outside.
//
// A file is never renamed or truncated under its writer: its head is given back to the disk, so offsets stay valid.
import { closeSync, constants, fstatSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { directoryNames } from '../../linux/directory-names.ts';
import { punchHole } from '../../linux/fallocate.ts';
import { logFile, type PodPaths } from './pod-paths.ts';

const BLOCK = 4096;
const STAT_BLOCK = 512;

/** Remove the logs, and their times, of all runs before the last one: what `berth logs -p` shows stays. */
export function removeOldLogs(paths: PodPaths, container: string, restarts: number): void {
  const directory = dirname(logFile(paths, container, restarts));
  for (const name of directoryNames(directory)) {
    const run = /^(\d+)\.log(\.times(\.new)?)?$/.exec(name);
    if (run !== null && Number(run[1]) < restarts - 1) rmSync(join(directory, name), { force: true });
  }
}

/**
 * Keep a log file's space on disk below `maxBytes`: when it has grown beyond, the older half is given back. Returns whether
 * it did. A missing file is fine. Throws SyscallError where the file system cannot punch holes.
 */
export function limitLog(path: string, maxBytes: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.blocks * STAT_BLOCK <= maxBytes) return false;
  const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    const keep = Math.floor(maxBytes / 2);
    const length = Math.floor((fstatSync(fd).size - keep) / BLOCK) * BLOCK;
    if (length > 0) punchHole(fd, 0, length);
    return length > 0;
  } finally {
    closeSync(fd);
  }
}
