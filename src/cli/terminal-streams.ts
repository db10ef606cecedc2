// Bytes between this process's own streams and the master of a terminal, each way no faster than the other side takes them.
import { writeSync } from 'node:fs';
import { setImmediate as afterOtherWork } from 'node:timers/promises';

import { isErrno } from '../linux/errno.ts';
import { duplicate } from '../linux/fcntl.ts';
import type { Fd } from '../linux/fd.ts';
import { readable, writable } from '../linux/poll.ts';
import { readSome } from '../linux/tape/run.ts';
import { gathersLines } from '../linux/termios.ts';
import { detachKeys, type Keys } from './detach-keys.ts';
import { standardOutput } from './output/output.ts';

const END_OF_INPUT = Buffer.of(0x04);
const NEWLINE = 0x0a;

export type OutputSignals = {
  /** Nothing more will be written: stop when everything has come out. */
  readonly ended: AbortSignal;
  /** Stop now. */
  readonly left: AbortSignal;
};

/** Copy what comes out of the terminal to standard output. The master does not block. Throws SyscallError. */
export async function copyOutput(master: number, { ended, left }: OutputSignals): Promise<void> {
  const stop = AbortSignal.any([ended, left]);
  while (!left.aborted) {
    const chunk = readSome(master);
    if (chunk === undefined) {
      if (ended.aborted) return;
      await readable(master, { signal: stop }).catch(unlessAborted(stop));
      continue;
    }
    await new Promise<void>((resolve) => standardOutput().write(chunk, () => resolve()));
    await afterOtherWork(); // a program that never stops writing must still hear Ctrl-C
  }
}

export type InputOptions = {
  readonly detachable: boolean;
  /** The keys to leave were pressed, or the person's own terminal is gone. */
  readonly onLeave: () => void;
  readonly onError: (error: unknown) => void;
};

/** Copies standard input to a master that does not block, until disposed. */
export class TerminalInput implements Disposable {
  // A descriptor is polled once at a time, and the master's own number is polled for output.
  readonly #master: Fd;
  readonly #options: InputOptions;
  readonly #keys: (chunk: Buffer) => Keys;
  readonly #stop = new AbortController();
  #last = NEWLINE;
  #sent: Promise<void> = Promise.resolve();

  constructor(master: number, options: InputOptions) {
    this.#master = duplicate(master);
    this.#options = options;
    this.#keys = options.detachable ? detachKeys() : (bytes) => ({ bytes, detached: false });
    process.stdin.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onEnd);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    process.stdin.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onEnd);
    process.stdin.pause();
    this.#master[Symbol.dispose]();
  }

  readonly #onData = (chunk: Buffer): void => {
    const { bytes, detached } = this.#keys(chunk);
    this.#last = bytes.at(-1) ?? this.#last;
    process.stdin.pause();
    this.#send(bytes, () => {
      if (detached) this.#options.onLeave();
      else process.stdin.resume();
    });
  };

  /** A file or a pipe has an end; for a program that reads lines the terminal has one too. A line that is not whole needs two. */
  readonly #onEnd = (): void => {
    if (process.stdin.isTTY) {
      this.#options.onLeave();
      return;
    }
    this.#send(Buffer.alloc(0), () => {
      const marks = this.#last === NEWLINE ? [END_OF_INPUT] : [END_OF_INPUT, END_OF_INPUT];
      if (gathersLines(this.#master.number)) this.#send(Buffer.concat(marks), () => undefined);
    });
  };

  /** After what came before: a stream that is paused may still tell of its end. */
  #send(bytes: Buffer, then: () => void): void {
    this.#sent = this.#sent
      .then(() => this.#write(bytes))
      .then(() => {
        if (!this.#stop.signal.aborted) then();
      })
      .catch(this.#options.onError);
  }

  async #write(bytes: Buffer): Promise<void> {
    const { signal } = this.#stop;
    let rest = bytes;
    while (rest.length > 0 && !signal.aborted) {
      try {
        rest = rest.subarray(writeSync(this.#master.number, rest));
      } catch (error) {
        if (isErrno(error, 'EIO')) return; // the program has gone: its end is being told elsewhere
        if (!isErrno(error, 'EAGAIN')) throw error;
        await writable(this.#master.number, { signal }).catch(unlessAborted(signal));
      }
    }
  }
}

function unlessAborted(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}
