// The main thread's end of one file worker.
import type { Worker } from 'node:worker_threads';

import { OciError } from '../error.ts';
import type { FileWorkerData } from './file-worker.ts';
import { type FileWorkReport, type FileWorkRequest, fromWireError } from './file-work.ts';
import type { UnpackedLayer } from './layer-output.ts';

/** Hostile layers may make a worker run out of memory, but only the worker. */
const LARGEST_HEAP_MB = 256;
/** The agent's own is 1 MB, to stay small. A worker is gone soon, and makes much that is garbage a moment later. */
const YOUNG_HEAP_MB = 16;

export type JobEvents = {
  readonly taken: (sizeBytes: number) => void;
  readonly done: (summary: UnpackedLayer | undefined) => void;
  readonly failed: (error: OciError) => void;
};

export class FileWorkerThread {
  readonly #worker: Worker;
  readonly #jobs = new Map<number, JobEvents>();
  readonly #ended: () => void;

  /** `ended` is called when the thread is gone, before its jobs fail. */
  constructor(data: FileWorkerData, ended: () => void) {
    this.#ended = ended;
    // Here and not above: most commands unpack nothing, and loading threads takes them milliseconds.
    const threads = process.getBuiltinModule('node:worker_threads');
    this.#worker = new threads.Worker(new URL('./file-worker.ts', import.meta.url), {
      workerData: data,
      // Descriptors are closed by their owners; Node's own list would not know those that koffi opened.
      trackUnmanagedFds: false,
      resourceLimits: { maxOldGenerationSizeMb: LARGEST_HEAP_MB, maxYoungGenerationSizeMb: YOUNG_HEAP_MB },
    });
    this.#worker.on('message', (report: FileWorkReport) => this.#handle(report));
    this.#worker.on('error', (error) => this.#end(`a file worker broke down: ${error.message}`));
    this.#worker.on('exit', () => this.#end('a file worker ended'));
    this.#worker.unref();
  }

  get jobs(): number {
    return this.#jobs.size;
  }

  /** Start a job: `events` hears of it until it is done or failed. The process stays alive that long. */
  start(request: FileWorkRequest, events: JobEvents): void {
    if (this.#jobs.size === 0) this.#worker.ref();
    this.#jobs.set(request.job, events);
    this.#worker.postMessage(request, []);
  }

  /** Say more about a job. */
  send(request: FileWorkRequest, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #handle(report: FileWorkReport): void {
    const events = this.#jobs.get(report.job);
    if (events === undefined) return;
    if (report.kind === 'taken') return events.taken(report.sizeBytes);
    this.#jobs.delete(report.job);
    if (this.#jobs.size === 0) this.#worker.unref();
    if (report.kind === 'done') events.done(report.summary);
    else events.failed(fromWireError(report.error));
  }

  #end(why: string): void {
    this.#ended();
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const { failed } of jobs) failed(new OciError('UNPACK_FAILED', `Cannot work on files: ${why}`));
  }
}
