// The unpacked layers of one machine: `<root>/layers/<diffID>`, a directory or a tar with an EROFS image, shared by all images and containers, and by several
// processes at once. A layer is visible when it is complete and its digest was right, never before.
// Durability: docs/decisions/0002-layer-durability.md.
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';

import { bootId } from '../../linux/boot-id.ts';
import { isErrno } from '../../linux/errno.ts';
import { isOciError, OciError } from '../error.ts';
import { ErofsLayers } from './erofs/erofs-layers.ts';
import type { UnpackRequest } from './file-work.ts';
import type { FileWorkersOptions } from './file-workers.ts';
import { layerLock, tryLayerLock } from './layer-lock.ts';
import { diffIDOfIngest, diffIDOfName, isRemoved, layerPaths, type LayerPaths, removedPath } from './layer-paths.ts';
import { formatLayerRecord, isUsable, type LayerRecord } from './layer-record.ts';
import type { LayerSink, LayerSource, LayerStore } from './layer-sink.ts';
import { LayerRecords } from './layer-records.ts';
import type { LayerWork } from './layer-work.ts';
import type { UnpackedLayer } from './layer-output.ts';
import type { SnapshotLayer } from './snapshot.ts';
import type { UnpackMode } from './unpack-mode.ts';
import type { UnpackSession } from './unpack-session.ts';

/** SEC-24: no honest layer grows to more than 200 times its size, but for small ones: a file of zeros is enough. */
const LARGEST_RATIO = 200;
const RATIO_FLOOR_BYTES = 256 * 1024 ** 2;
const LARGEST_LAYER_BYTES = 64 * 1024 ** 3;
/** A command that only looks something up is over by then; clearing away is for those that stay. */
const SWEEP_AFTER_MS = 1000;

export type LayerStoreOptions = {
  readonly workers?: FileWorkersOptions;
  /** Bytes of the file system to leave free; by default 5 %, at most 1 GiB. */
  readonly reserveBytes?: number;
  /** `auto` by default. */
  readonly unpack?: UnpackMode | undefined;
  /** Hears of what failed in the background: a removal, a sync. */
  readonly onError?: (error: unknown) => void;
};

/** Open the layers below `root`; directories are made when missing, 0700. */
export function openLayerStore(root: string, options: LayerStoreOptions = {}): DirectoryLayerStore {
  const directory = join(root, 'layers');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return new DirectoryLayerStore(directory, options);
}

export class DirectoryLayerStore implements LayerStore, AsyncDisposable {
  readonly #directory: string;
  readonly #boot = bootId();
  readonly #workers: FileWorkersOptions | undefined;
  readonly #erofs: ErofsLayers;
  readonly #onError: (error: unknown) => void;
  readonly #reserveBytes: number | undefined;
  readonly #records = new LayerRecords();
  readonly #removals = new Set<Promise<void>>();
  #sweepTimer: NodeJS.Timeout | undefined;
  #work: Promise<LayerWork> | undefined;

  /** Use `openLayerStore`. */
  constructor(directory: string, options: LayerStoreOptions) {
    const { workers, reserveBytes, unpack = 'auto', onError = () => undefined } = options;
    this.#reserveBytes = reserveBytes;
    this.#directory = directory;
    this.#erofs = new ErofsLayers(directory, unpack);
    this.#workers = workers;
    this.#onError = onError;
    this.#sweepTimer = setTimeout(() => this.#sweepInTime(), SWEEP_AFTER_MS).unref();
  }

  has(diffID: string): boolean {
    return this.#mountable(this.#paths(diffID)) !== undefined;
  }

  directory(diffID: string): string {
    return this.layer(diffID).directory;
  }

  /**
   * Where a layer is, mounted by this process when it is kept as a tar, and what is known of it. Throws OciError
   * LAYER_MISSING, also when the disk has changed it: it is thrown away then, to be unpacked again.
   */
  layer(diffID: string): SnapshotLayer {
    const paths = this.#paths(diffID);
    const summary = this.#mountable(paths);
    if (summary === undefined)
      throw new OciError('LAYER_MISSING', `The layer ${diffID} is not unpacked in ${this.#directory}`);
    if (summary.erofs === undefined) return { directory: paths.tree, image: undefined, summary };
    try {
      return { ...this.#erofs.mount(paths, summary.id, summary.erofs), summary };
    } catch (error) {
      if (!isOciError(error, 'STORE_CORRUPT')) throw unmountable(diffID, error);
      this.#discard(paths.directory);
      throw new OciError('LAYER_MISSING', `The layer ${diffID} has to be unpacked again: ${error.message}`, {
        cause: error,
      });
    }
  }

  /** All that are here, also those that cannot be used with this kernel or these settings. */
  list(): string[] {
    this.#erofs.forgetRemoved();
    const diffIDs = readdirSync(this.#directory).map(diffIDOfName);
    return diffIDs.filter((diffID) => diffID !== undefined).filter((diffID) => this.#usable(this.#paths(diffID)));
  }

  prepare(): void {
    this.#loadWork().then(({ workers }) => workers.prepare(), this.#onError);
  }

  /** Waits while another process or task unpacks the same layer, and has nothing to do when that is done. */
  async begin(layer: LayerSource, signal?: AbortSignal): Promise<LayerSink> {
    this.#sweepOnce();
    const { FINISHED_SINK, UnpackingSink } = await import('./unpacking-sink.ts');
    const paths = this.#paths(layer.diffID);
    const held = await layerLock(paths, signal);
    try {
      if (this.#mountable(paths) === undefined) {
        const work = await this.#loadWork();
        const session = await this.#beginUnpack(work, { paths, layer }, signal);
        return new UnpackingSink(session, held, {
          commit: (summary) => this.#commit(work, paths, summary),
          discard: () => this.#discard(paths.ingest),
        });
      }
    } catch (error) {
      held[Symbol.dispose]();
      throw error;
    }
    held[Symbol.dispose]();
    return FINISHED_SINK;
  }

  /** Also rejects with ENOENT when there is no such file. */
  async unpackBlob(layer: LayerSource, blobPath: string, signal?: AbortSignal): Promise<void> {
    this.#sweepOnce();
    await access(blobPath);
    const paths = this.#paths(layer.diffID);
    using _held = await layerLock(paths, signal);
    if (this.#mountable(paths) !== undefined) return;
    const work = await this.#loadWork();
    const session = await this.#beginUnpack(work, { paths, layer }, signal);
    const stop = (): void => void session.abort();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      this.#commit(work, paths, await session.unpackFile(blobPath));
    } catch (error) {
      this.#discard(paths.ingest);
      throw signal?.aborted === true ? signal.reason : error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** The layer is gone at once, its files soon after. No container may use it. */
  async remove(diffID: string): Promise<void> {
    const paths = this.#paths(diffID);
    using _held = await layerLock(paths, undefined);
    this.#discard(paths.directory);
    this.#erofs.forgetRemoved();
  }

  /** Remove a tree of berth's own off the main thread, a pod's writable layer, say. Links are not followed. */
  async removeTree(path: string): Promise<void> {
    const { workers } = await this.#loadWork();
    await workers.remove(path);
  }

  /** Resolves when what was removed is gone and what was unpacked is on the disk. Failures go to `onError`. */
  async settle(): Promise<void> {
    const work = await this.#work;
    await Promise.all([...this.#removals, work?.sync.flush()]);
  }

  /** Settles, and ends the threads. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#sweepTimer);
    await this.settle();
    const work = await this.#work;
    await work?.[Symbol.asyncDispose]();
    this.#erofs[Symbol.dispose]();
  }

  /** Not before it is needed: commands that look at layers start faster without. */
  #loadWork(): Promise<LayerWork> {
    this.#work ??= import('./layer-work.ts').then(
      ({ LayerWork: Work }) => new Work(this.#directory, { workers: this.#workers, onError: this.#onError }),
    );
    return this.#work;
  }

  #paths(diffID: string): LayerPaths {
    return layerPaths(this.#directory, diffID);
  }

  #usable(paths: LayerPaths): LayerRecord | undefined {
    const record = this.#records.read(paths);
    return record !== undefined && isUsable(record, this.#boot) ? record : undefined;
  }

  #mountable(paths: LayerPaths): LayerRecord | undefined {
    const record = this.#usable(paths);
    if (record?.erofs === undefined || this.#erofs.usable(paths, record.id, record.erofs)) return record;
    return undefined;
  }

  /** The caller holds the lock. */
  async #beginUnpack(
    { workers }: LayerWork,
    { paths, layer }: { readonly paths: LayerPaths; readonly layer: LayerSource },
    signal: AbortSignal | undefined,
  ): Promise<UnpackSession> {
    const format = await this.#erofs.format();
    for (const left of [paths.directory, paths.ingest]) this.#discard(left);
    mkdirSync(paths.ingest, { mode: 0o700 });
    const grown = Math.max(RATIO_FLOOR_BYTES, layer.sizeBytes * LARGEST_RATIO);
    const request: UnpackRequest = {
      directory: paths.ingest,
      format,
      diffID: layer.diffID,
      limitBytes: Math.min(LARGEST_LAYER_BYTES, grown),
      reserveBytes: this.#reserveBytes,
    };
    return workers.unpack(request, signal);
  }

  /** Not durable yet, and marked so: the record is only good in this boot until a sync has run. */
  #commit({ sync }: LayerWork, paths: LayerPaths, unpacked: UnpackedLayer): void {
    const id = randomUUID();
    const record: LayerRecord = { ...unpacked, id, durability: { state: 'unsynced', boot: this.#boot } };
    writeFileSync(paths.ingestRecord, formatLayerRecord(record), { mode: 0o600 });
    renameSync(paths.ingest, paths.directory);
    sync.request(paths, id);
  }

  /** Out of sight now, gone later. A missing one is fine. */
  #discard(path: string): void {
    const removed = removedPath(this.#directory, randomUUID());
    try {
      renameSync(path, removed);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      throw error;
    }
    this.#removeLater(removed);
  }

  #removeLater(path: string): void {
    const removal = this.removeTree(path)
      .catch(this.#onError)
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  /** Nobody awaits it: what goes wrong, such as a store that is gone, must not end the process. */
  #sweepInTime(): void {
    try {
      this.#sweepOnce();
    } catch (error) {
      this.#onError(error);
    }
  }

  #sweepOnce(): void {
    if (this.#sweepTimer === undefined) return;
    clearTimeout(this.#sweepTimer);
    this.#sweepTimer = undefined;
    for (const name of readdirSync(this.#directory)) {
      if (isRemoved(name)) this.#removeLater(join(this.#directory, name));
      else this.#sweepLayer(name);
    }
  }

  /** Discards what a dead process or another boot left, and syncs what a process left unsynced that has ended. */
  #sweepLayer(name: string): void {
    const diffID = diffIDOfIngest(name) ?? diffIDOfName(name);
    if (diffID === undefined) return;
    const paths = this.#paths(diffID);
    using held = tryLayerLock(paths);
    if (held === undefined) return;
    this.#discard(paths.ingest);
    const record = this.#usable(paths);
    if (record === undefined) this.#discard(paths.directory);
    else if (record.durability.state === 'unsynced')
      this.#loadWork().then(({ sync }) => sync.request(paths, record.id), this.#onError);
  }
}

function unmountable(diffID: string, error: unknown): OciError {
  const reason = error instanceof Error ? error.message : String(error);
  return new OciError('OVERLAY_FAILED', `Cannot mount the layer ${diffID}: ${reason}`, { cause: error });
}
