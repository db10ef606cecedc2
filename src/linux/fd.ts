// A file descriptor that closes itself: `using fd = …`.
import { closeSync } from 'node:fs';

/** Owns one open file descriptor. Disposing closes it once; `release` gives it away instead. */
export class Fd implements Disposable {
  #number: number;

  constructor(number: number) {
    this.#number = number;
  }

  /** The descriptor. Throws when it has been closed or released: a stale number could name another file. */
  get number(): number {
    if (this.#number < 0) throw new Error('The file descriptor is already closed');
    return this.#number;
  }

  /** Give up ownership: the caller closes the returned descriptor. */
  release(): number {
    const number = this.number;
    this.#number = -1;
    return number;
  }

  [Symbol.dispose](): void {
    if (this.#number < 0) return;
    const number = this.#number;
    this.#number = -1;
    closeSync(number);
  }
}
