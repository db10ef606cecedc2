// Pulls in the background: one for each digest, for as long as somebody wants it.
import type { Clock, Effects, Step } from './effects.ts';
import { failureOf, type Failure } from './failure.ts';
import type { ReportFunction } from './report.ts';
import type { ImageFact } from './situation.ts';

export type ImagePullsOptions = {
  readonly pull: Effects['pullImage'];
  readonly clock: Clock;
  readonly report: ReportFunction;
  /** A pull ended, well or not: whoever wants the digest looks again. */
  readonly onEnd: (digest: string) => void;
};

export class ImagePulls {
  readonly #options: ImagePullsOptions;
  readonly #running = new Map<string, { readonly controller: AbortController; readonly done: Promise<void> }>();
  readonly #failures = new Map<string, Failure>();

  constructor(options: ImagePullsOptions) {
    this.#options = options;
  }

  /** What is known of a digest that is not here. */
  fact(digest: string): ImageFact {
    if (this.#running.has(digest)) return { state: 'pulling' };
    const failure = this.#failures.get(digest);
    return failure === undefined ? { state: 'absent' } : { state: 'failed', failure };
  }

  get running(): number {
    return this.#running.size;
  }

  /** Begin unless the digest is being pulled already. */
  begin(step: Step<'pullImage'>): void {
    if (this.#running.has(step.image.digest)) return;
    const controller = new AbortController();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#running.set(step.image.digest, { controller, done });
    void this.#run(step, controller).finally(resolve);
  }

  /** Try at once what failed before. */
  forgive(): void {
    this.#failures.clear();
  }

  /** Abort what nobody wants any more. */
  retain(wanted: ReadonlySet<string>): void {
    for (const [digest, { controller }] of this.#running) {
      if (!wanted.has(digest)) controller.abort(new Error('The image is no longer wanted'));
    }
    for (const digest of this.#failures.keys()) {
      if (!wanted.has(digest)) this.#failures.delete(digest);
    }
  }

  /** Abort every pull; fulfilled when all have ended. */
  async close(): Promise<void> {
    this.retain(new Set());
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  async #run(step: Step<'pullImage'>, controller: AbortController): Promise<void> {
    const { image } = step;
    const { clock, report, pull, onEnd } = this.#options;
    const begin = clock.now();
    try {
      await pull(step, controller.signal);
      this.#failures.delete(image.digest);
      report({ event: 'imagePulled', ...image, durationMs: clock.now() - begin });
    } catch (error) {
      if (!controller.signal.aborted) {
        const failure = failureOf(error, this.#failures.get(image.digest), clock.now());
        this.#failures.set(image.digest, failure);
        report({ event: 'imagePullFailed', ...image, failure });
      }
    } finally {
      this.#running.delete(image.digest);
      onEnd(image.digest);
    }
  }
}
