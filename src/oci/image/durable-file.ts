// Files that survive a power cut whole: data, fsync, rename, fsync of the directory.
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_DIRECTORY } = constants;

/**
 * Put `bytes` at `path` in one step: readers see the old file or the whole new one, also after a crash. The new file is
 * prepared in `temporaryDirectory`, which is on the same file system.
 */
export async function writeDurably(path: string, bytes: Uint8Array, temporaryDirectory: string): Promise<void> {
  const temporary = join(temporaryDirectory, `write-${randomUUID()}`);
  try {
    await using file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    await file.writeFile(bytes);
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** fsync(2) a directory: what was renamed into it stays there. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, O_RDONLY | O_DIRECTORY);
  await directory.sync();
}
