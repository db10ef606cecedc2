// The directories of a layer that is being unpacked: open descriptors by path, made when missing.
//
// Safety: a path is resolved by openat2 with RESOLVE_IN_ROOT, so a symbolic link of the same layer leads at most to
// another place in the same layer, as it does for the other unpackers (they chroot, or resolve in-root). Names are then
// created relative to a descriptor, never through a path. What is cached was true when it was opened, and only this
// process writes here; whoever removes a directory or a symbolic link calls `forget`.
import { readlinkSync } from 'node:fs';

import { cString, O_DIRECTORY, O_RDONLY } from '../../linux/at.ts';
import { isErrno } from '../../linux/errno.ts';
import type { Fd } from '../../linux/fd.ts';
import {
  openat2,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from '../../linux/openat2.ts';
import { parentPath } from './entry-path.ts';

const RESOLVE = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
const LARGEST_CACHE = 64;

/** Makes the directory at `path` (normalised); its parent is open as `parent`. */
export type MakeDirectory = (parent: number, path: string) => void;

export class LayerDirectories implements Disposable {
  readonly #root: Fd;
  readonly #make: MakeDirectory;
  readonly #open = new Map<string, Fd>();
  /** What is in the cache may be wrong: it goes before the next lookup, not earlier, since a caller still uses it. */
  #stale = false;
  #lastPath = '';
  #lastFd: number;
  readonly #rootPath: string;

  /** Takes ownership of `root`. */
  constructor(root: Fd, make: MakeDirectory) {
    this.#root = root;
    this.#lastFd = root.number;
    this.#rootPath = readlinkSync(`/proc/self/fd/${root.number}`, 'latin1');
    this.#make = make;
  }

  /** A descriptor of the directory at a normalised path, made with its parents when missing. Valid until the next call. */
  open(path: string): number {
    if (this.#stale) this.#clear();
    if (path !== this.#lastPath) {
      this.#lastFd = this.#resolve(path);
      this.#lastPath = path;
    }
    return this.#lastFd;
  }

  /** A descriptor of its own for an existing directory; undefined when there is none. The caller closes it. */
  find(path: string): Fd | undefined {
    try {
      return this.#openInRoot(path === '' ? '.' : path);
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
      throw error;
    }
  }

  /** As `find`, where no symbolic link is followed: what `pathOf` gave names the directory or nothing. */
  findExact(path: string): Fd | undefined {
    try {
      const how = { flags: O_RDONLY | O_DIRECTORY, resolve: RESOLVE | RESOLVE_NO_SYMLINKS };
      return openat2(this.#root.number, cString(path === '' ? '.' : path), how);
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
      throw error;
    }
  }

  /** Where in the layer an open directory is, whatever links led to it. */
  pathOf(fd: number): string {
    return readlinkSync(`/proc/self/fd/${fd}`, 'latin1').slice(this.#rootPath.length + 1);
  }

  /** A name was removed that may have been a directory or a symbolic link: look everything up again. */
  forget(): void {
    this.#stale = true;
  }

  [Symbol.dispose](): void {
    this.#clear();
    this.#root[Symbol.dispose]();
  }

  #resolve(path: string): number {
    if (path === '') return this.#root.number;
    const cached = this.#open.get(path);
    if (cached !== undefined) return cached.number;
    try {
      return this.#remember(path, this.#openInRoot(path));
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
    this.#make(this.#resolve(parentPath(path)), path);
    return this.#remember(path, this.#openInRoot(path));
  }

  #openInRoot(path: string): Fd {
    return openat2(this.#root.number, cString(path), { flags: O_RDONLY | O_DIRECTORY, resolve: RESOLVE });
  }

  /** When the cache is full, the older half goes: tars come sorted by directory. */
  #remember(path: string, fd: Fd): number {
    let surplus = this.#open.size >= LARGEST_CACHE ? LARGEST_CACHE / 2 : 0;
    for (const [oldPath, old] of this.#open) {
      if (surplus-- <= 0) break;
      old[Symbol.dispose]();
      this.#open.delete(oldPath);
    }
    this.#open.set(path, fd);
    return fd.number;
  }

  #clear(): void {
    for (const fd of this.#open.values()) fd[Symbol.dispose]();
    this.#open.clear();
    this.#stale = false;
    this.#lastPath = '';
    this.#lastFd = this.#root.number;
  }
}
