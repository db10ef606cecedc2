// Remove a directory tree: relative to descriptors, never through a path, so a symbolic link is never followed.
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';

import {
  AT_REMOVEDIR,
  type CString,
  cString,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  renameat,
  unlinkat,
} from './at.ts';
import { isErrno } from './errno.ts';
import type { Fd } from './fd.ts';

/** Deeper trees (a container can nest directories without bound) are flattened while they are removed. */
const LARGEST_DEPTH = 64;

type Level = { readonly fd: Fd; readonly name: CString; readonly entries: Entry[] };
type Entry = { readonly name: string; readonly directory: boolean };

/**
 * Remove `name` in the directory `dirfd` with all that is below it; a missing one is fine. Blocks: call it off the main
 * thread, or on small trees. Several processes may remove one tree at once. Throws SyscallError.
 */
export function removeTreeAt(dirfd: number, name: CString): void {
  if (!isDirectory(dirfd, name)) return;
  const levels: Level[] = [];
  try {
    descend(levels, dirfd, name);
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const entry = level.entries.pop();
      if (entry === undefined) ascend(levels, dirfd);
      else removeEntry(levels, level, entry);
    }
  } finally {
    for (const { fd } of levels) fd[Symbol.dispose]();
  }
}

/** Removes what is not a directory on the way. */
function isDirectory(dirfd: number, name: CString): boolean {
  try {
    unlinkat(dirfd, name);
    return false;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    if (isErrno(error, 'EISDIR')) return true;
    throw error;
  }
}

function removeEntry(levels: Level[], level: Level, entry: Entry): void {
  const name = cString(entry.name);
  if (!entry.directory && !isDirectory(level.fd.number, name)) return;
  const [top] = levels;
  if (top === undefined || levels.length < LARGEST_DEPTH) return descend(levels, level.fd.number, name);
  const flat = `.deep-${randomUUID()}`;
  renameat(level.fd.number, name, top.fd.number, cString(flat));
  top.entries.push({ name: flat, directory: true });
}

function descend(levels: Level[], dirfd: number, name: CString): void {
  let fd: Fd;
  try {
    fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  levels.push({ fd, name, entries: list(fd.number) });
}

function list(fd: number): Entry[] {
  const entries = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1', withFileTypes: true });
  return entries.map((entry) => ({ name: entry.name, directory: entry.isDirectory() }));
}

function ascend(levels: Level[], dirfd: number): void {
  const level = levels.pop();
  if (level === undefined) return;
  level.fd[Symbol.dispose]();
  try {
    unlinkat(levels.at(-1)?.fd.number ?? dirfd, level.name, AT_REMOVEDIR);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
