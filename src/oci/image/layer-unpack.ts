// One layer on its way from compressed bytes to a directory: inflate (on a pool thread), then hash and write here, in
// slices, so that the event loop can start the next inflate in between. Runs on a worker thread.
import type { Hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { OciError } from '../error.ts';
import { hashFor } from './digest.ts';
import { Inflater } from './inflate.ts';
import type { LayerOutput, UnpackedLayer } from './layer-output.ts';

/** Node's pool of small buffers is of 64 KB at most. */
const POOL_BYTES = 64 * 1024;
const SPACE_CHECK_BYTES = 64 * 1024 * 1024;

export type LayerUnpackOptions = {
  /** What becomes of the uncompressed bytes; ownership is taken. */
  readonly output: LayerOutput;
  /** Of the uncompressed bytes. */
  readonly diffID: string;
  /** Most uncompressed bytes to accept. */
  readonly limitBytes: number;
  /** Called from time to time: rejects when there is no space for more. */
  readonly requireSpace: () => Promise<void>;
  /** How much inflated data may wait to be written, in bytes; asked again and again. */
  readonly queueBytes: () => number;
};

/** Write pieces one after the other, each when the one before has resolved, then `finish`. Dispose it in any case. */
export class LayerUnpack implements Disposable {
  readonly #options: LayerUnpackOptions;
  readonly #inflater: Inflater;
  readonly #hash: Hash;
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #unpackedBytes = 0;
  #nextCheck = SPACE_CHECK_BYTES;
  /** How much of the first piece of the queue is done. */
  #offset = 0;
  /** The inflater may still be filling up the memory that this piece is part of. */
  #newest: Buffer | undefined;
  #pump: Promise<void> | undefined;
  #paused = false;
  #failure: Error | undefined;
  #disposed = false;

  constructor(options: LayerUnpackOptions) {
    this.#options = options;
    this.#hash = hashFor(options.diffID);
    this.#inflater = new Inflater({ limitBytes: options.limitBytes, output: (bytes) => this.#enqueue(bytes) });
  }

  /** Takes ownership of `bytes` and of all memory behind it. Resolves when more can be taken. Throws OciError. */
  async write(bytes: Buffer): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#inflater.write(bytes);
    if (!this.#isInUse(bytes)) free(bytes);
    // Uncompressed layers have no stream that could be paused.
    while (this.#queuedBytes > this.#options.queueBytes()) await nextTurn();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#unpackedBytes < this.#nextCheck) return;
    this.#nextCheck = this.#unpackedBytes + SPACE_CHECK_BYTES;
    await this.#options.requireSpace();
  }

  /** All bytes are written. Resolves when the layer is complete. Throws OciError, DIGEST_MISMATCH above all. */
  async finish(): Promise<UnpackedLayer> {
    await this.#inflater.end();
    await this.#pump;
    if (this.#failure !== undefined) throw this.#failure;
    const { diffID } = this.#options;
    const actual = `${diffID.slice(0, diffID.indexOf(':'))}:${this.#hash.digest('hex')}`;
    if (actual !== diffID) {
      throw new OciError('DIGEST_MISMATCH', `The layer unpacks to ${actual}, and the image says ${diffID}`);
    }
    return this.#options.output.finish();
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#inflater[Symbol.dispose]();
    this.#options.output[Symbol.dispose]();
  }

  #enqueue(bytes: Buffer): void {
    if (this.#failure !== undefined || this.#disposed) return;
    const before = this.#newest;
    this.#newest = bytes;
    if (before !== undefined && !this.#isInUse(before)) free(before);
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (!this.#paused && this.#queuedBytes > this.#options.queueBytes()) {
      this.#paused = true;
      this.#inflater.pause();
    }
    this.#pump ??= this.#drain();
  }

  /** One slice after the other, each in a turn of the event loop of its own, until the queue is empty. */
  #drain(): Promise<void> {
    return new Promise((resolve) => {
      const turn = (): void => {
        if (this.#queue.length > 0) {
          this.#trySlice();
          setImmediate(turn);
        } else {
          this.#pump = undefined;
          resolve();
        }
      };
      setImmediate(turn);
    });
  }

  #trySlice(): void {
    try {
      this.#slice();
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#queue.length = 0;
      this.#queuedBytes = 0;
      this.#resume();
    }
  }

  #slice(): void {
    const [piece] = this.#queue;
    if (piece === undefined) return;
    const { output } = this.#options;
    const slice = piece.subarray(this.#offset, this.#offset + output.sliceBytes);
    this.#hash.update(slice);
    output.push(slice);
    this.#offset += slice.length;
    this.#queuedBytes -= slice.length;
    this.#unpackedBytes += slice.length;
    if (this.#offset < piece.length) return;
    this.#offset = 0;
    this.#queue.shift();
    if (!this.#isInUse(piece)) free(piece);
    if (this.#queuedBytes < this.#options.queueBytes() / 2) this.#resume();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#inflater.resume();
  }

  /** zlib cuts several pieces from one allocation; they follow each other. */
  #isInUse(piece: Buffer): boolean {
    return [this.#newest, this.#queue[0], this.#queue.at(-1)].some((other) => other?.buffer === piece.buffer);
  }
}

/**
 * Give the memory behind a piece back now. Left to the garbage collector, the pieces of one layer would add up to all of
 * it, and looking for them would cost a fifth of the processor time (measured). Small ones lie in Node's shared pool.
 */
function free({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > POOL_BYTES) buffer.transfer(0);
}
