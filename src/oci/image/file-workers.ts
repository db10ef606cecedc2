// The threads for bulk file work. They start when there is something to do, share it, and end when there is nothing: an
// idle agent has none (FOOT-4). Memory is bounded whatever the layers are (PULL-4): 12 MB of inflated data over all
// threads, 8 MB of compressed data over all layers, and for each layer the piece that its inflater works on.
import { availableParallelism } from 'node:os';

import { mallocTrim } from '../../linux/malloc-trim.ts';
import { FileWorkerThread } from './file-worker-thread.ts';
import type { UnpackRequest } from './file-work.ts';
import { UnpackSession } from './unpack-session.ts';

const QUEUE_BYTES = 12 * 1024 * 1024;
const IN_FLIGHT_BYTES = 8 * 1024 * 1024;
const LARGEST_JOBS = 8;

export type FileWorkersOptions = {
  /** Threads at most; by default as many as processors, at most four. */
  readonly threads?: number;
  /** How long an idle thread is kept for the next job. */
  readonly idleMs?: number;
};

export class FileWorkers implements AsyncDisposable {
  readonly #limit: number;
  readonly #idleMs: number;
  readonly #threads = new Set<FileWorkerThread>();
  readonly #waiting: (() => void)[] = [];
  #unpacking = 0;
  #lastJob = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor({ threads = Math.min(4, availableParallelism()), idleMs = 1000 }: FileWorkersOptions = {}) {
    this.#limit = threads;
    this.#idleMs = idleMs;
  }

  /** Threads that run now. */
  get threads(): number {
    return this.#threads.size;
  }

  /** Start a thread when there is none: to unpack soon. It takes a tenth of a second. */
  prepare(): void {
    if (this.#threads.size > 0) return;
    this.#thread();
    this.#restIfIdle();
  }

  /** Begin to unpack a layer; waits while eight others are being unpacked. Rejects when `signal` aborts meanwhile. */
  async unpack(request: UnpackRequest, signal?: AbortSignal): Promise<UnpackSession> {
    await this.#turn(signal);
    return new UnpackSession(this.#thread(), ++this.#lastJob, request, {
      inFlightBytes: () => IN_FLIGHT_BYTES / this.#unpacking,
      ended: () => this.#unpacked(),
    });
  }

  /** Remove a tree; a missing one is fine. Links are not followed. Throws OciError UNPACK_FAILED. */
  remove(path: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const settle = (): void => this.#restIfIdle();
    this.#thread().start(
      { kind: 'remove', job: ++this.#lastJob, path },
      {
        taken: () => undefined,
        done: () => (settle(), resolve()),
        failed: (error) => (settle(), reject(error)),
      },
    );
    return promise;
  }

  /** End all threads, also those that work: their jobs fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle);
    const threads = [...this.#threads];
    // Before they are gone: a job that comes meanwhile must not be given to one of them.
    this.#threads.clear();
    await Promise.all(threads.map((thread) => thread.terminate()));
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#unpacking < LARGEST_JOBS) {
      this.#unpacking++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(resolve), 1);
      reject(signal?.reason);
    };
    this.#waiting.push(resolve);
    signal?.addEventListener('abort', stop, { once: true });
    await promise;
    signal?.removeEventListener('abort', stop);
  }

  /** The turn goes to the next in line, or back. */
  #unpacked(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#unpacking--;
    else next();
    this.#restIfIdle();
  }

  /** The thread with the least to do, or a new one. */
  #thread(): FileWorkerThread {
    clearTimeout(this.#idle);
    const [least] = [...this.#threads].sort((a, b) => a.jobs - b.jobs);
    if (least !== undefined && (least.jobs === 0 || this.#threads.size >= this.#limit)) return least;
    const thread = new FileWorkerThread({ queueBytes: QUEUE_BYTES / this.#limit }, () => this.#threads.delete(thread));
    this.#threads.add(thread);
    return thread;
  }

  async #rest(): Promise<void> {
    await this[Symbol.asyncDispose]();
    // Of the 40 MB that a pull leaves in the heaps of its threads (measured), an idle agent needs nothing.
    mallocTrim();
  }

  #restIfIdle(): void {
    clearTimeout(this.#idle);
    if ([...this.#threads].some(({ jobs }) => jobs > 0)) return;
    this.#idle = setTimeout(() => void this.#rest(), this.#idleMs);
    this.#idle.unref();
  }
}
