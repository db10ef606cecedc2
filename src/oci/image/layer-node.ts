// What stands at a name in a layer that is being unpacked, and how to get it out of the way.
import { lstatSync } from 'node:fs';

import { unlinkat } from '../../linux/at.ts';
import { isErrno } from '../../linux/errno.ts';
import { removeTreeAt } from '../../linux/remove-tree.ts';

export type NodeKind = 'missing' | 'directory' | 'symlink' | 'whiteout' | 'other';

/** `/proc/self/fd/N/name`, ending in a zero: the last component relative to N, for calls that have no *at form. */
export function pathAt(dirfd: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${dirfd}/`), name]);
}

/** `name` is a C string, as everywhere here; a symbolic link is not followed. */
export function nodeKind(dirfd: number, name: Buffer): NodeKind {
  const found = lstatSync(pathAt(dirfd, name).subarray(0, -1), { throwIfNoEntry: false });
  if (found === undefined) return 'missing';
  if (found.isDirectory()) return 'directory';
  if (found.isSymbolicLink()) return 'symlink';
  return found.isCharacterDevice() && found.rdev === 0 ? 'whiteout' : 'other';
}

/** Whether two names are hard links of one file. */
export function isSameNode(dirfd: number, name: Buffer, otherDirfd: number, otherName: Buffer): boolean {
  const one = lstatSync(pathAt(dirfd, name).subarray(0, -1), { bigint: true, throwIfNoEntry: false });
  const two = lstatSync(pathAt(otherDirfd, otherName).subarray(0, -1), { bigint: true, throwIfNoEntry: false });
  return one !== undefined && two !== undefined && one.ino === two.ino && one.dev === two.dev;
}

/** Remove whatever it is, a directory with all that is below it. */
export function removeNode(dirfd: number, name: Buffer): void {
  try {
    unlinkat(dirfd, name);
  } catch (error) {
    if (!isErrno(error, 'EISDIR')) throw error;
    removeTreeAt(dirfd, name);
  }
}
