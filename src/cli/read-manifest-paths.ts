// The manifests that a person names on the command line: files, and directories as a source would read them.
import { readFile, stat } from 'node:fs/promises';
import { join, normalize } from 'node:path';

import { isErrno } from '../linux/errno.ts';
import { decodeManifest } from '../reconcile/manifest-path.ts';
import { readDirectory } from '../reconcile/read-directory.ts';
import type { SourceFile } from '../reconcile/source.ts';
import { CommandFailure } from './failure.ts';

/** All files, each under the path by which the person can open it. Rejects with CommandFailure or SourceError. */
export async function readManifestPaths(paths: readonly string[]): Promise<SourceFile[]> {
  const read = await Promise.all(paths.map(readPath));
  return read.flat();
}

async function readPath(path: string): Promise<SourceFile[]> {
  try {
    if (!(await stat(path)).isDirectory()) {
      return [{ path: normalize(path), text: decodeManifest(path, await readFile(path)) }];
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) {
      throw new CommandFailure(`There is no file or directory '${path}'`, { cause: error });
    }
    throw error;
  }
  const { files } = await readDirectory(path);
  return files.map((file) => ({ path: join(path, file.path), text: file.text }));
}
