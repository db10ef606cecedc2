// What a container's files say of a directory, before there is a container.
import { fstatSync } from 'node:fs';

import { O_DIRECTORY, O_PATH, openat } from '../../linux/at.ts';
import { isErrno } from '../../linux/errno.ts';
import { AT_FDCWD } from '../../linux/mount-flags.ts';
import { openat2, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '../../linux/openat2.ts';
import type { Rootfs } from './rootfs-operations.ts';

const PERMISSIONS = 0o7777;

/** The permissions of a directory of the root file system, links followed inside it; undefined when there is none. */
export function directoryMode(rootfs: Rootfs, path: string): number | undefined {
  const layers = rootfs.kind === 'directory' ? [rootfs.path] : rootfs.lowers;
  for (const layer of layers) {
    const mode = modeIn(typeof layer === 'string' ? layer : layer.directory, path);
    if (mode !== undefined) return mode;
  }
  return undefined;
}

function modeIn(layer: string, path: string): number | undefined {
  try {
    using root = openat(AT_FDCWD, layer, O_PATH | O_DIRECTORY);
    const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    using found = openat2(root.number, path, { flags: O_PATH | O_DIRECTORY, resolve });
    return fstatSync(found.number).mode & PERMISSIONS;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
