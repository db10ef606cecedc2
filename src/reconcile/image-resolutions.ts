// Which digest each image reference of a workload stands for. Asked once for each template, in the background.
import type { Clock, ImageRequest, Images, WorkloadId } from './effects.ts';
import { failureOf, isHeld, type Failure } from './failure.ts';
import type { ReportFunction } from './report.ts';
import type { Pending } from './status.ts';
import { formatWorkload } from './workload-id.ts';

/** What was resolved for one workload, and for which template: another template is asked about anew. */
export type Resolution = {
  readonly template: string;
  /** Reference as written → digest. */
  readonly digests: Readonly<Record<string, string>>;
};

export type ImageResolutionsOptions = {
  readonly resolve: Images['resolve'];
  readonly clock: Clock;
  readonly report: ReportFunction;
  /** An answer or a failure is there for this workload. */
  readonly onEnd: (workload: WorkloadId) => void;
};

export type LookUp = { readonly digests: ReadonlyMap<string, string> } | { readonly pending: Pending };

export type ResolutionRequest = {
  readonly workload: WorkloadId;
  readonly template: string;
  readonly requests: readonly ImageRequest[];
};

type Attempt = { readonly template: string; readonly controller: AbortController; readonly done: Promise<void> };

export class ImageResolutions {
  readonly #options: ImageResolutionsOptions;
  readonly #known = new Map<string, Resolution>();
  readonly #attempts = new Map<string, Attempt>();
  readonly #failures = new Map<string, Failure & { readonly template: string }>();

  constructor(options: ImageResolutionsOptions) {
    this.#options = options;
  }

  /** What an earlier run of the agent knew: no question is asked again, so that a boot needs no network. */
  restore(known: Readonly<Record<string, Resolution>>): void {
    for (const [key, resolution] of Object.entries(known)) this.#known.set(key, resolution);
  }

  /** All that is known, by workload: what the desired record keeps. */
  entries(): Record<string, Resolution> {
    return Object.fromEntries(this.#known);
  }

  get running(): number {
    return this.#attempts.size;
  }

  /** The digests of a template, or why they are not known. Begins to ask unless an answer is not due yet. */
  lookUp(request: ResolutionRequest): LookUp {
    const key = formatWorkload(request.workload);
    const known = this.#known.get(key);
    if (known?.template === request.template) return { digests: new Map(Object.entries(known.digests)) };
    const failure = this.#failures.get(key);
    const previous = failure?.template === request.template ? failure : undefined;
    if (isHeld(previous, this.#options.clock.now())) {
      return { pending: { failure: previous, retryAt: previous.retryAt } };
    }
    this.#begin(key, request, previous);
    return { pending: { failure: previous, retryAt: undefined } };
  }

  /** Forget every workload that is not declared any more. */
  retain(keys: ReadonlySet<string>): void {
    for (const [key, { controller }] of this.#attempts) {
      if (!keys.has(key)) controller.abort(new Error('The workload is no longer declared'));
    }
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
    for (const key of this.#failures.keys()) if (!keys.has(key)) this.#failures.delete(key);
  }

  /** Try at once what failed before. */
  forgive(): void {
    this.#failures.clear();
  }

  /** Ask again what is being asked: an image that came from elsewhere need not wait for its registry. */
  restart(): void {
    for (const { controller } of this.#attempts.values()) controller.abort(new Error('It is asked again'));
  }

  /** Abort every question; fulfilled when all have ended. What is known stays known. */
  async close(): Promise<void> {
    const attempts = [...this.#attempts.values()];
    for (const { controller } of attempts) controller.abort(new Error('The agent stops'));
    await Promise.all(attempts.map(({ done }) => done));
  }

  #begin(key: string, request: ResolutionRequest, previous: Failure | undefined): void {
    const running = this.#attempts.get(key);
    if (running?.template === request.template) return;
    running?.controller.abort(new Error('A newer manifest asks for other images'));
    const controller = new AbortController();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const attempt = { template: request.template, controller, done };
    this.#attempts.set(key, attempt);
    void this.#ask(request, previous, controller.signal).finally(() => {
      // A newer template may have taken the place.
      if (this.#attempts.get(key) === attempt) this.#attempts.delete(key);
      resolve();
      this.#options.onEnd(request.workload);
    });
  }

  async #ask(request: ResolutionRequest, previous: Failure | undefined, signal: AbortSignal): Promise<void> {
    const { workload, template, requests } = request;
    const key = formatWorkload(workload);
    const { resolve, clock, report } = this.#options;
    try {
      const answers = await Promise.all(requests.map((image) => resolve(image, signal)));
      if (signal.aborted) return;
      const digests = Object.fromEntries(requests.map(({ reference }, index) => [reference, answers[index] ?? '']));
      this.#failures.delete(key);
      this.#known.set(key, { template, digests });
      for (const [reference, digest] of Object.entries(digests)) {
        report({ event: 'imageResolved', workload, reference, digest });
      }
    } catch (error) {
      if (signal.aborted) return;
      const failure = failureOf(error, previous, clock.now());
      this.#failures.set(key, { ...failure, template });
      report({ event: 'imageUnresolved', workload, failure });
    }
  }
}
