// Makes unpacked layers durable behind everybody's back: fsync(2) of the files of those that are a few, one syncfs(2) for all
// that are trees, then a durable mark in each. See docs/decisions/0002-layer-durability.md.
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { O_DIRECTORY, O_RDONLY, openat } from '../../linux/at.ts';
import { isErrno } from '../../linux/errno.ts';
import type { Fd } from '../../linux/fd.ts';
import { AT_FDCWD } from '../../linux/mount-flags.ts';
import { syncfs } from '../../linux/syncfs.ts';
import { syncDirectory, writeDurably } from './durable-file.ts';
import { tryLayerLock } from './layer-lock.ts';
import { IMAGE_NAME, TAR_NAME } from './layer-output.ts';
import type { LayerPaths } from './layer-paths.ts';
import { formatLayerRecord } from './layer-record.ts';
import { readLayerRecord } from './layer-records.ts';

/** The layers of one image are committed within moments of each other, and one sync serves them all. */
const GATHER_MS = 500;

type Pending = { readonly paths: LayerPaths; readonly id: string };

export class LayerSync implements Disposable {
  /** Opened before anything is written: syncfs tells of every failed write since. */
  readonly #fd: Fd;
  readonly #onError: (error: unknown) => void;
  #pending: Pending[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(directory: string, onError: (error: unknown) => void) {
    this.#fd = openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
    this.#onError = onError;
  }

  /** Sync this layer soon. The process may end before: whoever opens the store next does it then. */
  request(paths: LayerPaths, id: string): void {
    this.#pending.push({ paths, id });
    this.#timer ??= setTimeout(() => void this.flush(), GATHER_MS).unref();
  }

  /** Sync now what was requested. Never rejects: failures are reported. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running = this.#running.then(() => this.#syncAll());
    return this.#running;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#fd[Symbol.dispose]();
  }

  async #syncAll(): Promise<void> {
    const layers = this.#pending;
    this.#pending = [];
    const trees = layers.filter(({ paths }) => readLayerRecord(paths)?.erofs === undefined);
    const treesSynced = trees.length === 0 || (await this.#succeeds(() => syncfs(this.#fd.number)));
    for (const layer of layers) {
      const synced = trees.includes(layer) ? treesSynced : await this.#succeeds(() => syncFiles(layer.paths));
      await this.#succeeds(() => this.#mark(layer, synced));
    }
  }

  async #succeeds(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#onError(error);
      return false;
    }
  }

  /** The lock and the id: another process may have removed the layer and unpacked it anew, and that one is not synced. */
  async #mark({ paths, id }: Pending, synced: boolean): Promise<void> {
    if (readLayerRecord(paths)?.id !== id) return; // gone, with its directory perhaps: a lock would make that anew
    using held = tryLayerLock(paths);
    if (held === undefined) return this.request(paths, id);
    const record = readLayerRecord(paths);
    if (record?.id !== id || record.durability.state !== 'unsynced') return;
    const durability = synced ? { state: 'synced' as const } : { state: 'lost' as const, boot: record.durability.boot };
    await writeDurably(paths.record, Buffer.from(formatLayerRecord({ ...record, durability })), dirname(paths.record));
  }
}

/** The tar, its image, and their names. A layer that was removed meanwhile needs no sync. */
async function syncFiles({ directory }: LayerPaths): Promise<void> {
  try {
    for (const name of [TAR_NAME, IMAGE_NAME]) {
      await using file = await open(join(directory, name), 'r');
      await file.sync();
    }
    await syncDirectory(directory);
    await syncDirectory(dirname(directory));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
