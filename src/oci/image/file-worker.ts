// The entry of a file worker thread: unpacks layers and removes trees, several jobs at a time if it must.
import { createReadStream } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

import { AT_FDCWD } from '../../linux/mount-flags.ts';
import { removeTreeAt } from '../../linux/remove-tree.ts';
import { processUmask } from '../../linux/umask.ts';
import { DirectoryOutput } from './directory-output.ts';
import { requireSpace } from './disk-space.ts';
import { ErofsOutput } from './erofs/erofs-output.ts';
import { type FileWorkReport, type FileWorkRequest, toWireError, type UnpackRequest } from './file-work.ts';
import type { LayerOutput } from './layer-output.ts';
import { LayerUnpack } from './layer-unpack.ts';

const READ_BYTES = 1 << 20;

type Job = {
  readonly unpack: LayerUnpack;
  /** What was asked for so far, one step after the other. */
  tail: Promise<void>;
};

class FileWorker {
  readonly #report: (report: FileWorkReport) => void;
  readonly #queueBytes: number;
  readonly #jobs = new Map<number, Job>();

  constructor(queueBytes: number, report: (report: FileWorkReport) => void) {
    this.#queueBytes = queueBytes;
    this.#report = report;
  }

  handle(request: FileWorkRequest): void {
    const { job } = request;
    switch (request.kind) {
      case 'unpack':
        return this.#begin(job, request);
      case 'bytes':
        return this.#step(job, (unpack) => this.#write(job, unpack, request.bytes));
      case 'file':
        return this.#step(job, (unpack) => this.#read(job, unpack, request.path));
      case 'finish':
        return this.#step(job, (unpack) => this.#finish(job, unpack));
      case 'abort':
        return this.#fail(job, new Error('The unpacking was aborted'));
      case 'remove':
        return this.#remove(job, request.path);
    }
  }

  #begin(job: number, request: UnpackRequest): void {
    const { directory, diffID, limitBytes, reserveBytes } = request;
    try {
      const queueBytes = (): number => this.#queueBytes / this.#jobs.size;
      const space = { path: directory, neededBytes: 0, reserveBytes };
      const unpack = new LayerUnpack({
        output: outputOf(request),
        diffID,
        limitBytes,
        queueBytes,
        requireSpace: () => requireSpace(space),
      });
      this.#jobs.set(job, { unpack, tail: Promise.resolve() });
    } catch (error) {
      this.#report({ kind: 'failed', job, error: toWireError(error) });
    }
  }

  /** What comes after a failure is about a job that is gone: nothing to do. */
  #step(job: number, step: (unpack: LayerUnpack) => Promise<void>): void {
    const known = this.#jobs.get(job);
    if (known === undefined) return;
    known.tail = known.tail
      .then(() => (this.#jobs.get(job) === known ? step(known.unpack) : undefined))
      .catch((error: unknown) => this.#fail(job, error));
  }

  async #write(job: number, unpack: LayerUnpack, { buffer, byteOffset, length }: Uint8Array): Promise<void> {
    await unpack.write(Buffer.from(buffer, byteOffset, length));
    this.#report({ kind: 'taken', job, sizeBytes: length });
  }

  async #read(job: number, unpack: LayerUnpack, path: string): Promise<void> {
    for await (const bytes of createReadStream(path, { highWaterMark: READ_BYTES }))
      await unpack.write(bytes as Buffer);
    await this.#finish(job, unpack);
  }

  async #finish(job: number, unpack: LayerUnpack): Promise<void> {
    const summary = await unpack.finish();
    this.#jobs.delete(job);
    unpack[Symbol.dispose]();
    this.#report({ kind: 'done', job, summary });
  }

  #fail(job: number, error: unknown): void {
    const known = this.#jobs.get(job);
    if (known === undefined) return;
    this.#jobs.delete(job);
    known.unpack[Symbol.dispose]();
    this.#report({ kind: 'failed', job, error: toWireError(error) });
  }

  #remove(job: number, path: string): void {
    try {
      removeTreeAt(AT_FDCWD, path);
      this.#report({ kind: 'done', job, summary: undefined });
    } catch (error) {
      this.#report({ kind: 'failed', job, error: toWireError(error) });
    }
  }
}

function outputOf({ directory, diffID, format }: UnpackRequest): LayerOutput {
  const umask = processUmask();
  return format === 'erofs' ? new ErofsOutput({ directory, diffID, umask }) : new DirectoryOutput(directory, umask);
}

/** What a file worker is started with. */
export type FileWorkerData = {
  /** How much inflated data may wait to be written, over all jobs. */
  readonly queueBytes: number;
};

const port = parentPort;
if (port !== null) {
  const { queueBytes } = workerData as FileWorkerData;
  const worker = new FileWorker(queueBytes, (report) => port.postMessage(report));
  port.on('message', (request: FileWorkRequest) => worker.handle(request));
}
