// An OCI image layout in a directory that anyone may have written: no symbolic link is followed (apple/container's
// GHSA of 2026: a layout's blob that links to a host file).
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

import { isErrno } from '../../linux/errno.ts';
import { OciError } from '../error.ts';

import type { Archive, ArchiveFile } from './archive.ts';
import { fileBlocks } from './file-blocks.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Open a layout directory. Disposing closes it and every file that was found. */
export async function openDirectoryArchive(path: string): Promise<Archive> {
  return new DirectoryArchive(path, await open(path, O_RDONLY | O_DIRECTORY));
}

class DirectoryArchive implements Archive {
  readonly #path: string;
  readonly #root: FileHandle;
  readonly #files: FileHandle[] = [];

  constructor(path: string, root: FileHandle) {
    this.#path = path;
    this.#root = root;
  }

  async find(path: string): Promise<ArchiveFile | undefined> {
    const file = await this.#openInside(path.split('/'));
    if (file === undefined) return undefined;
    this.#files.push(file);
    const status = await file.stat();
    if (!status.isFile()) throw new OciError('ARCHIVE_INVALID', `${path} in ${this.#path} is not a regular file`);
    return { sizeBytes: status.size, read: (offset) => fileBlocks(file, offset, status.size) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of [...this.#files, this.#root]) await file.close();
  }

  // Component by component from an open directory, as openat(2) with O_NOFOLLOW does: a link swapped in meanwhile is
  // refused like one that was there before. O_NONBLOCK: a FIFO is opened and then refused, not waited for.
  async #openInside(components: readonly string[]): Promise<FileHandle | undefined> {
    let directory = this.#root;
    const opened: FileHandle[] = [];
    try {
      for (const [at, name] of components.entries()) {
        const last = at === components.length - 1;
        const flags = O_RDONLY | O_NOFOLLOW | (last ? O_NONBLOCK : O_DIRECTORY);
        const next = await open(`/proc/self/fd/${directory.fd}/${checkName(name)}`, flags);
        if (last) return next;
        opened.push(next);
        directory = next;
      }
      return undefined;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      if (!isErrno(error, 'ELOOP', 'ENOTDIR')) throw error;
      const path = components.join('/');
      throw new OciError(
        'ARCHIVE_INVALID',
        `${path} in ${this.#path} is or goes through a symbolic link, which is not followed`,
      );
    } finally {
      for (const one of opened) await one.close();
    }
  }
}

function checkName(name: string): string {
  if (name !== '' && name !== '.' && name !== '..' && !name.includes('\0')) return name;
  throw new OciError('ARCHIVE_INVALID', `${JSON.stringify(name)} is not a name of a file`);
}
