// readdir(3) where a missing directory is an empty one.
import { readdirSync } from 'node:fs';

import { isErrno } from './errno.ts';

/** The names in a directory, none when it does not exist. Throws what readdir throws otherwise. */
export function directoryNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
