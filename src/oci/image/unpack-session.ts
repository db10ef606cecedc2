// One layer that a file worker is unpacking, as the main thread sees it: bytes in, back-pressure out.
import type { OciError } from '../error.ts';
import type { FileWorkerThread } from './file-worker-thread.ts';
import type { UnpackRequest } from './file-work.ts';
import type { LayerSummary } from './layer-writer.ts';

/** Compressed bytes on their way to the worker, at most; one piece may exceed it. */
const IN_FLIGHT_BYTES = 1 << 20;

export class UnpackSession {
  readonly #thread: FileWorkerThread;
  readonly #job: number;
  readonly #outcome: PromiseWithResolvers<LayerSummary>;
  #inFlightBytes = 0;
  #failure: OciError | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  /** Starts at once. `ended` is called when the job is over, however it ended. */
  constructor(thread: FileWorkerThread, job: number, request: UnpackRequest, ended: () => void) {
    this.#thread = thread;
    this.#job = job;
    this.#outcome = Promise.withResolvers();
    // A failure is reported by whichever method is called next; nobody has to be waiting when it happens.
    this.#outcome.promise.catch(() => undefined);
    thread.start(
      { kind: 'unpack', job, ...request },
      {
        taken: (sizeBytes) => this.#taken(sizeBytes),
        done: (summary) => {
          ended();
          if (summary !== undefined) this.#outcome.resolve(summary);
        },
        failed: (error) => {
          ended();
          this.#failed(error);
        },
      },
    );
  }

  /** Takes ownership. Undefined: go on at once. Rejects with what the unpacking failed with. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const own = ownBytes(bytes);
    this.#inFlightBytes += own.length;
    this.#thread.send({ kind: 'bytes', job: this.#job, bytes: own }, [own.buffer]);
    if (this.#inFlightBytes < IN_FLIGHT_BYTES) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** No more bytes: resolves when the directory is complete and its digest right. */
  finish(): Promise<LayerSummary> {
    this.#thread.send({ kind: 'finish', job: this.#job });
    return this.#outcome.promise;
  }

  /** Unpack all of this file, and finish. */
  unpackFile(path: string): Promise<LayerSummary> {
    this.#thread.send({ kind: 'file', job: this.#job, path });
    return this.#outcome.promise;
  }

  /** Stop. Resolves when nothing is written to the directory any more. Idempotent. */
  async abort(): Promise<void> {
    this.#thread.send({ kind: 'abort', job: this.#job });
    await this.#outcome.promise.catch(() => undefined);
  }

  #taken(sizeBytes: number): void {
    this.#inFlightBytes -= sizeBytes;
    if (this.#inFlightBytes >= IN_FLIGHT_BYTES) return;
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

/** The bytes in memory that holds nothing else, so that it can be transferred. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return new Uint8Array(buffer);
  return new Uint8Array(bytes);
}
