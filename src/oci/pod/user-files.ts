// /etc/passwd and /etc/group of an image, read from its layers: as bytes with a limit, no symbolic link followed (SEC-7). Layers
// never change, so what was found for an image is kept.
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import type { UserFiles } from '../runtime/user.ts';

const MAX_SIZE = 1024 * 1024;

/** Read both files from layer directories, uppermost first. What is missing, or is no ordinary file, is empty. */
export function readUserFiles(lowers: readonly string[]): UserFiles {
  return { passwd: readFromLayers(lowers, 'passwd'), group: readFromLayers(lowers, 'group') };
}

function readFromLayers(lowers: readonly string[], name: string): string {
  for (const lower of lowers) {
    const etc = lstatSync(join(lower, 'etc'), { throwIfNoEntry: false });
    if (etc === undefined) continue;
    if (!etc.isDirectory()) return '';
    const file = lstatSync(join(lower, 'etc', name), { throwIfNoEntry: false });
    if (file === undefined) continue;
    return file.isFile() ? readLimited(join(lower, 'etc', name)) : ''; // a whiteout is a device: deleted by this layer
  }
  return '';
}

function readLimited(path: string): string {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(Math.min(fstatSync(fd).size, MAX_SIZE));
      return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0)).toString('utf8');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP')) return '';
    throw error;
  }
}
