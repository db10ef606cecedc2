// A terminal that a test sits at: what is typed goes in, what is shown can be waited for.
import { constants, openSync, writeSync } from 'node:fs';

import { isErrno } from '../../src/linux/errno.ts';
import { setNonBlocking } from '../../src/linux/fcntl.ts';
import { Fd } from '../../src/linux/fd.ts';
import { libc } from '../../src/linux/libc.ts';
import { readable } from '../../src/linux/poll.ts';
import { openPeer, setWindowSize, type WindowSize } from '../../src/linux/pty.ts';
import { readSome } from '../../src/linux/tape/run.ts';

const c_unlockpt = libc.func('int unlockpt(int fd)') as (fd: number) => number;

/** Gives up, and fails, after this time without anything new. */
const PATIENCE_MS = 20_000;

/** Owns the master of a terminal. */
export class Screen implements Disposable {
  readonly master: Fd;
  #shown = '';

  constructor(master: Fd) {
    this.master = master;
    setNonBlocking(master.number);
  }

  type(keys: string): void {
    writeSync(this.master.number, keys);
  }

  /** What was shown since the last call, up to and with what `pattern` finds. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.#shown);
      if (match !== null) {
        const end = match.index + match[0].length;
        const part = this.#shown.slice(0, end);
        this.#shown = this.#shown.slice(end);
        return part;
      }
      if (!(await this.#more())) throw new Error(`Ended without ${String(pattern)}: ${JSON.stringify(this.#shown)}`);
    }
  }

  /** Everything until nobody has the other side open. */
  async rest(): Promise<string> {
    while (await this.#more());
    return this.#shown;
  }

  [Symbol.dispose](): void {
    this.master[Symbol.dispose]();
  }

  async #more(): Promise<boolean> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      const chunk = readSome(this.master.number);
      if (chunk === undefined) await readable(this.master.number, { signal });
      else this.#shown += chunk.toString('latin1');
      return true;
    } catch (error) {
      if (isErrno(error, 'EIO')) return false;
      if (signal.aborted) throw new Error(`Nothing more came: ${JSON.stringify(this.#shown)}`, { cause: error });
      throw error;
    }
  }
}

/** A new terminal of the host: its screen, and the side for a program. */
export function openScreen(size: WindowSize): { readonly screen: Screen; readonly slave: Fd } {
  const master = new Fd(openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY));
  if (c_unlockpt(master.number) !== 0) throw new Error('unlockpt failed');
  setWindowSize(master.number, size);
  return { screen: new Screen(master), slave: openPeer(master.number) };
}
