// How much disk a directory takes, counted in the background: walking a large writable layer must not hold up a scrape.
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

import { isErrno } from '../linux/errno.ts';

const STALE_MS = 300_000;
/** A directory of more entries than this is not counted: the walk would cost more than the number is worth. */
const MAX_ENTRIES = 200_000;
const BLOCK = 512;

type Known = { bytes: number | undefined; countedAt: number };

export class DiskUsage {
  readonly #known = new Map<string, Known>();
  #walk: Promise<void> = Promise.resolve();
  #closed = false;

  /** The bytes last counted; undefined before the first count. Counts again, in the background, what is stale. */
  bytes(path: string, now: number): number | undefined {
    const known = this.#known.get(path) ?? { bytes: undefined, countedAt: -Infinity };
    this.#known.set(path, known);
    if (now - known.countedAt > STALE_MS && !this.#closed) {
      known.countedAt = now;
      // One after another: counting is to go unnoticed.
      this.#walk = this.#walk.then(async () => {
        known.bytes = this.#closed ? undefined : await countBytes(path);
      });
    }
    return known.bytes;
  }

  /** Forget every path that is not in `paths`. */
  retain(paths: ReadonlySet<string>): void {
    for (const path of this.#known.keys()) if (!paths.has(path)) this.#known.delete(path);
  }

  /** Fulfilled when every count that was begun has ended. */
  async settled(): Promise<void> {
    await this.#walk;
  }

  close(): void {
    this.#closed = true;
  }
}

/** Allocated bytes of all files below `path`. Undefined when there are too many, or when it is gone. */
async function countBytes(path: string): Promise<number | undefined> {
  let bytes = 0;
  let entries = 0;
  const directories = [path];
  try {
    for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
      for await (const entry of await opendir(directory)) {
        entries += 1;
        if (entries > MAX_ENTRIES) return undefined;
        const place = join(directory, entry.name);
        if (entry.isDirectory()) directories.push(place);
        bytes += (await lstat(place)).blocks * BLOCK;
      }
    }
    return bytes;
  } catch (error) {
    // A container removes files while they are counted, and is removed itself.
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined;
    throw error;
  }
}
