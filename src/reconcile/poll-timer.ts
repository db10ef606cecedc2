// When a source is asked next: at intervals that differ a little, so that a fleet does not ask at once, or sooner on request.
import { pause } from './pause.ts';

/** Of the interval, to both sides. */
const JITTER = 0.2;
/** However often somebody asks for haste. */
const MIN_GAP_MS = 1000;

export class PollTimer {
  readonly #intervalMs: number;
  readonly #random: () => number;
  #begun = -Infinity;
  #isUrgent = false;
  #wake: () => void = () => {};

  /** `random` from 0 to 1. */
  constructor(intervalMs: number, random: () => number) {
    this.#intervalMs = intervalMs;
    this.#random = random;
  }

  /** A look begins: haste that was asked for before is served by it. */
  begin(): void {
    this.#begun = performance.now();
    this.#isUrgent = false;
  }

  /** Cut the wait short. */
  hurry(): void {
    this.#isUrgent = true;
    this.#wake();
  }

  /** Fulfilled when it is time to look, or when `signal` aborts. Never rejects. */
  async next(signal: AbortSignal): Promise<void> {
    if (!this.#isUrgent) await this.#interval(signal);
    if (this.#isUrgent) await pause(Math.max(0, this.#begun + MIN_GAP_MS - performance.now()), signal);
  }

  async #interval(signal: AbortSignal): Promise<void> {
    const wake = new AbortController();
    this.#wake = () => wake.abort();
    signal.addEventListener('abort', this.#wake, { once: true });
    if (signal.aborted) wake.abort();
    await pause(this.#intervalMs * (1 - JITTER + 2 * JITTER * this.#random()), wake.signal);
    signal.removeEventListener('abort', this.#wake);
  }
}
