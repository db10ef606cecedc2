// One blob on its way into the content store: `ingest/<algorithm>-<hex>`, locked, resumable after a crash, visible only
// when its size and digest are right and it is on the disk.
import type { Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import { lock } from '../../linux/flock.ts';
import { OciError } from '../error.ts';

import { blobPath, type ContentStore } from './content-store.ts';
import { hashFor, parseDigest } from './digest.ts';
import { syncDirectory } from './durable-file.ts';
import type { Descriptor } from './manifest.ts';

/** How much is read, hashed and written at a time: large enough that calls do not count, below 0.5 ms of hashing. */
export const BLOCK_BYTES: number = 512 * 1024;
const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;

export type BlobIdentity = Pick<Descriptor, 'digest' | 'size'>;

/** Hold the blob's lock while `work` runs: one process and one task at a time fetches or unpacks a blob. */
export async function withBlobLock<T>(
  store: ContentStore,
  { digest }: BlobIdentity,
  { work, signal }: { readonly work: () => Promise<T>; readonly signal: AbortSignal | undefined },
): Promise<T> {
  const path = `${partialPath(store, digest)}.lock`;
  using _held = await lock(path, 'exclusive', signal);
  try {
    return await work();
  } finally {
    // Under the lock, which flock.ts allows.
    await rm(path, { force: true });
  }
}

/** Owns the partial file of one blob. The caller holds the blob's lock. Disposing closes it and keeps what came in. */
export class BlobIngest implements AsyncDisposable {
  readonly #store: ContentStore;
  readonly #blob: BlobIdentity;
  readonly #file: FileHandle;
  #hash: Hash;
  #receivedBytes = 0;
  #pieces = 0;
  #committed = false;

  private constructor(store: ContentStore, blob: BlobIdentity, file: FileHandle) {
    this.#store = store;
    this.#blob = blob;
    this.#file = file;
    this.#hash = hashFor(blob.digest);
  }

  static async open(store: ContentStore, blob: BlobIdentity): Promise<BlobIngest> {
    const file = await open(partialPath(store, blob.digest), O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    return new BlobIngest(store, blob, file);
  }

  /** Bytes that are in the file and in the hash. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Whether the bytes came in more than one go, so that what is wrong may be only how they were put together. */
  get inPieces(): boolean {
    return this.#pieces > 1;
  }

  /** Call before the first `append` of every connection. */
  startPiece(): void {
    this.#pieces += 1;
  }

  /** What an earlier, interrupted fetch left, block by block, so that it can be unpacked; it counts as received then. */
  async *replay(): AsyncGenerator<Uint8Array> {
    const { size } = await this.#file.stat();
    if (size > this.#blob.size) await this.#file.truncate(0);
    for (;;) {
      const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      const { bytesRead } = await this.#file.read(block, 0, block.length, this.#receivedBytes);
      if (bytesRead === 0) return;
      const bytes = block.subarray(0, bytesRead);
      this.#hash.update(bytes);
      this.#receivedBytes += bytesRead;
      // It may itself have come in pieces, and been through a power cut.
      this.#pieces = 2;
      yield bytes;
    }
  }

  /** Write the next bytes. Throws OciError SIZE_MISMATCH when there are too many, DISK_FULL when there is no space. */
  async append(block: Uint8Array): Promise<void> {
    const { digest, size } = this.#blob;
    if (this.#receivedBytes + block.length > size) {
      await this.reset();
      throw new OciError('SIZE_MISMATCH', `blob ${digest} goes on after its ${size} bytes`);
    }
    this.#hash.update(block);
    try {
      for (let written = 0; written < block.length;) {
        const rest = block.length - written;
        written += (await this.#file.write(block, written, rest, this.#receivedBytes + written)).bytesWritten;
      }
    } catch (error) {
      if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
      throw new OciError('DISK_FULL', `no space is left for blob ${digest} in ${this.#store.directory}`, {
        cause: error,
      });
    }
    this.#receivedBytes += block.length;
  }

  /** Whether the bytes that came in are the blob; wrong ones are thrown away. Call when all are in. */
  async verify(): Promise<boolean> {
    const { digest, size } = this.#blob;
    const actual = `${parseDigest(digest).algorithm}:${this.#hash.digest('hex')}`;
    if (this.#receivedBytes === size && actual === digest) return true;
    await this.reset();
    return false;
  }

  /** Make the verified blob visible, durably. */
  async commit(): Promise<void> {
    const path = blobPath(this.#store, this.#blob.digest);
    await this.#file.datasync();
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rename(partialPath(this.#store, this.#blob.digest), path);
    this.#committed = true;
    await syncDirectory(dirname(path));
  }

  /** Throw away what came in and start at byte 0. */
  async reset(): Promise<void> {
    if (this.#committed) throw new Error(`Blob ${this.#blob.digest} is in the store and cannot be thrown away`);
    this.#pieces = 0;
    await this.#file.truncate(0);
    this.#receivedBytes = 0;
    this.#hash = hashFor(this.#blob.digest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { size } = await this.#file.stat();
    await this.#file.close();
    if (size === 0) await rm(partialPath(this.#store, this.#blob.digest), { force: true });
  }
}

/** Where the partial download of a blob is kept. */
export function partialPath(store: ContentStore, digest: string): string {
  const { algorithm, hex } = parseDigest(digest);
  return join(store.ingestDirectory, `${algorithm}-${hex}`);
}
