// Ctrl-C while something takes its time.

/** Aborts at the first SIGINT, SIGTERM or SIGHUP; disposing it lets signals end the process again. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #abort = (): void => this.#controller.abort(new Error('Interrupted'));

  constructor() {
    for (const name of SIGNALS) process.once(name, this.#abort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const name of SIGNALS) process.off(name, this.#abort);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
