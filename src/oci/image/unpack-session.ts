// One layer that a file worker is unpacking, as the main thread sees it: bytes in, back-pressure out.
import type { OciError } from '../error.ts';
import { freeBlock } from './blocks.ts';
import type { FileWorkerThread } from './file-worker-thread.ts';
import type { UnpackRequest } from './file-work.ts';
import type { UnpackedLayer } from './layer-output.ts';

/**
 * Sent at a time. Each piece wakes three threads and makes an ArrayBuffer: in pieces of 256 KB, as they come from the
 * network, a layer of 83 MB costs 60 ms more than in these, copying included (measured).
 */
const BLOCK_BYTES = 1 << 20;

export type UnpackSessionOptions = {
  /** Compressed bytes on their way to the worker, at most; one piece may exceed it. */
  readonly inFlightBytes: () => number;
  /** Called when the job is over, however it ended. */
  readonly ended: () => void;
};

export class UnpackSession {
  readonly #thread: FileWorkerThread;
  readonly #job: number;
  readonly #options: UnpackSessionOptions;
  readonly #outcome: PromiseWithResolvers<UnpackedLayer>;
  /** What is gathered before it is sent. */
  #block: Buffer<ArrayBuffer> | undefined;
  #filled = 0;
  #inFlightBytes = 0;
  #failure: OciError | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  /** Starts at once. */
  constructor(thread: FileWorkerThread, job: number, request: UnpackRequest, options: UnpackSessionOptions) {
    this.#thread = thread;
    this.#job = job;
    this.#options = options;
    this.#outcome = Promise.withResolvers();
    // A failure is reported by whichever method is called next; nobody has to be waiting when it happens.
    this.#outcome.promise.catch(() => undefined);
    thread.start(
      { kind: 'unpack', job, ...request },
      {
        taken: (sizeBytes) => this.#taken(sizeBytes),
        done: (summary) => {
          options.ended();
          if (summary !== undefined) this.#outcome.resolve(summary);
        },
        failed: (error) => {
          options.ended();
          this.#failed(error);
        },
      },
    );
  }

  /** Takes ownership. Undefined: go on at once. Rejects with what the unpacking failed with. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    for (let taken = 0; taken < bytes.length;) {
      this.#block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
      const part = bytes.subarray(taken, taken + BLOCK_BYTES - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === BLOCK_BYTES) this.#flush();
    }
    freeBlock(bytes);
    if (this.#inFlightBytes < this.#options.inFlightBytes()) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** No more bytes: resolves when the directory is complete and its digest right. */
  finish(): Promise<UnpackedLayer> {
    this.#flush();
    this.#thread.send({ kind: 'finish', job: this.#job });
    return this.#outcome.promise;
  }

  /** Unpack all of this file, and finish. */
  unpackFile(path: string): Promise<UnpackedLayer> {
    this.#thread.send({ kind: 'file', job: this.#job, path });
    return this.#outcome.promise;
  }

  /** Stop. Resolves when nothing is written to the directory any more. Idempotent. */
  async abort(): Promise<void> {
    this.#thread.send({ kind: 'abort', job: this.#job });
    await this.#outcome.promise.catch(() => undefined);
  }

  #flush(): void {
    const block = this.#block;
    if (block === undefined) return;
    const bytes = new Uint8Array(block.buffer, 0, this.#filled);
    this.#block = undefined;
    this.#filled = 0;
    this.#inFlightBytes += bytes.length;
    this.#thread.send({ kind: 'bytes', job: this.#job, bytes }, [block.buffer]);
  }

  #taken(sizeBytes: number): void {
    this.#inFlightBytes -= sizeBytes;
    if (this.#inFlightBytes >= this.#options.inFlightBytes()) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  #failed(error: OciError): void {
    this.#failure = error;
    this.#outcome.reject(error);
    this.#room?.reject(error);
    this.#room = undefined;
  }
}
