// Makes unpacked layers durable behind everybody's back: one syncfs(2) for all that were unpacked lately, then a durable
// mark in each. See docs/decisions/0002-layer-durability.md.
import { dirname } from 'node:path';

import { O_DIRECTORY, O_RDONLY, openat } from '../../linux/at.ts';
import type { Fd } from '../../linux/fd.ts';
import { AT_FDCWD } from '../../linux/mount-flags.ts';
import { syncfs } from '../../linux/syncfs.ts';
import { writeDurably } from './durable-file.ts';
import { tryLayerLock } from './layer-lock.ts';
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
    if (layers.length === 0) return;
    let synced = true;
    try {
      await syncfs(this.#fd.number);
    } catch (error) {
      synced = false;
      this.#onError(error);
    }
    for (const layer of layers) {
      try {
        await this.#mark(layer, synced);
      } catch (error) {
        this.#onError(error);
      }
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
