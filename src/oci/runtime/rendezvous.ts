// Where a tape waits in the middle for what only its caller can do: hooks. The tape says {0, -1} on its status pipe and reads
// from another pipe: a byte lets it go on, the end of that pipe ends it.
import { closeSync, writeSync } from 'node:fs';

import type { Fd } from '../../linux/fd.ts';
import { pipe } from '../../linux/pipe.ts';
import { readable } from '../../linux/poll.ts';
import { parseRecords } from '../../linux/tape/failure.ts';
import { readSome } from '../../linux/tape/run.ts';
import { setBlocking } from '../../linux/fcntl.ts';
import { HOOKS_DONE_FD } from './hook-operations.ts';

export class Rendezvous implements Disposable {
  readonly #meet: (pid: number) => Promise<void>;
  readonly #go: Fd;
  readonly #theirs: Fd;
  #refusal: { readonly kind: 'refused'; readonly error: unknown } | undefined;

  /** `meet` is given the pid of the container's first process. */
  constructor(meet: (pid: number) => Promise<void>) {
    this.#meet = meet;
    const { read, write } = pipe();
    setBlocking(read.number); // the tape waits in read(2)
    this.#go = write;
    this.#theirs = read;
  }

  /** Descriptors for the tape: [ours, theirs]. */
  get fds(): readonly (readonly [from: number, to: number])[] {
    return [[this.#theirs.number, HOOKS_DONE_FD]];
  }

  /** What kept the tape from going on. */
  get refusal(): { readonly kind: 'refused'; readonly error: unknown } | undefined {
    return this.#refusal;
  }

  /** Wait for the tape on its status pipe, do what is to be done, let it go on. Returns what came through the pipe so far. */
  async meet(status: number): Promise<Buffer> {
    closeSync(this.#theirs.release());
    let bytes = Buffer.alloc(0);
    for (;;) {
      const chunk = readSome(status);
      if (chunk === undefined) await readable(status);
      else if (chunk.length === 0) return bytes;
      else bytes = Buffer.concat([bytes, chunk]);
      const records = parseRecords(bytes);
      const started = records.find((record) => record.kind === 'started' && record.pid > 0);
      if (started?.kind !== 'started' || !records.some(({ kind }) => kind === 'waiting')) continue;
      await this.#decide(started.pid);
      return bytes;
    }
  }

  async #decide(pid: number): Promise<void> {
    try {
      await this.#meet(pid);
      writeSync(this.#go.number, '1');
    } catch (error) {
      this.#refusal = { kind: 'refused', error };
    } finally {
      this.#go[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#go[Symbol.dispose]();
    this.#theirs[Symbol.dispose]();
  }
}
