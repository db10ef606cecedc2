// Names to work on: each waits at most once, is worked on by one at a time, and never waits for another name.

export type QueueOptions = {
  /** Must not reject: a failure is the worker's own business. */
  readonly work: (name: string) => Promise<void>;
  /** How many names are worked on side by side. */
  readonly concurrency: number;
  /** Called each time nothing is left to work on. */
  readonly onIdle?: () => void;
};

export class WorkQueue {
  readonly #options: QueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  #closed = false;
  #idle = Promise.withResolvers<void>();

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#idle.resolve();
  }

  /** Work on `name` soon. While it is being worked on, it waits and is taken up once more afterwards. */
  add(name: string): void {
    if (this.#closed) return;
    if (this.isIdle) this.#idle = Promise.withResolvers();
    this.#waiting.add(name);
    this.#fill();
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#running.size === 0;
  }

  /** Fulfilled when nothing waits and nothing is worked on. */
  idle(): Promise<void> {
    return this.#idle.promise;
  }

  /** Take up nothing more; fulfilled when the work in hand is done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    this.#settle();
    await this.idle();
  }

  #fill(): void {
    for (const name of this.#waiting) {
      if (this.#running.size >= this.#options.concurrency) return;
      if (this.#running.has(name)) continue;
      this.#waiting.delete(name);
      this.#running.add(name);
      void this.#run(name);
    }
  }

  async #run(name: string): Promise<void> {
    try {
      await this.#options.work(name);
    } finally {
      this.#running.delete(name);
      this.#fill();
      this.#settle();
    }
  }

  #settle(): void {
    if (!this.isIdle) return;
    this.#idle.resolve();
    this.#options.onIdle?.();
  }
}
