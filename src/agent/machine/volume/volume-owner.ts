// securityContext.fsGroup: what a pod's own volumes hold belongs to a group that all of its containers are in.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lchownSync,
  lstatSync,
  openSync,
  readdirSync,
  statSync,
} from 'node:fs';

import { isErrno } from '../../../linux/errno.ts';
import type { FsGroup } from '../../../spec/model.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** As the kubelet: the group reads and writes, enters directories, and owns what is made in them (set-group-id). */
const FILE_BITS = 0o660;
const DIRECTORY_BITS = 0o2770;

/**
 * Give the tree at `path` to the group. `OnRootMismatch` looks at the top alone, and leaves a tree be whose top is right. No link
 * is followed: other pods may be at work in the volume. Throws what the system calls throw.
 */
export function giveToGroup(path: string, { gid, policy }: FsGroup): void {
  const top = statSync(path);
  if (policy === 'OnRootMismatch' && top.gid === gid && (top.mode & DIRECTORY_BITS) === DIRECTORY_BITS) return;
  const directory = openSync(path, O_RDONLY | O_DIRECTORY);
  try {
    giveEntries(directory, gid);
    giveOpen(directory, gid); // last: a top that is right means that all is
  } finally {
    closeSync(directory);
  }
}

function giveEntries(directory: number, gid: number): void {
  for (const name of readdirSync(`/proc/self/fd/${directory}`, { encoding: 'buffer' })) {
    const path = Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);
    try {
      giveEntry(path, gid);
    } catch (error) {
      // Removed or swapped for something else by another pod meanwhile.
      if (!isErrno(error, 'ENOENT', 'ELOOP', 'ENOTDIR')) throw error;
    }
  }
}

function giveEntry(path: Buffer, gid: number): void {
  const stat = lstatSync(path);
  if (!stat.isDirectory() && !stat.isFile()) return lchownSync(path, stat.uid, gid);
  const entry = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (stat.isDirectory() ? O_DIRECTORY : 0));
  try {
    if (stat.isDirectory()) giveEntries(entry, gid);
    giveOpen(entry, gid);
  } finally {
    closeSync(entry);
  }
}

function giveOpen(file: number, gid: number): void {
  const stat = fstatSync(file);
  fchownSync(file, stat.uid, gid);
  fchmodSync(file, (stat.mode & 0o7777) | (stat.isDirectory() ? DIRECTORY_BITS : FILE_BITS));
}
