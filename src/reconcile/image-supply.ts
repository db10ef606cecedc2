// Images that workloads wait for: references resolved and digests pulled, in the background.
import type { Clock, Effects, Images, WorkloadId } from './effects.ts';
import { ImagePulls } from './image-pulls.ts';
import { ImageResolutions } from './image-resolutions.ts';
import type { ReportFunction } from './report.ts';

export type ImageSupplyOptions = {
  readonly effects: Effects;
  readonly images: Images;
  readonly clock: Clock;
  readonly report: ReportFunction;
  /** The references of a workload are resolved, or could not be. */
  readonly onResolved: (workload: WorkloadId) => void;
  /** A pull ended, well or not. */
  readonly onPulled: (digest: string) => void;
};

export class ImageSupply {
  readonly pulls: ImagePulls;
  readonly resolutions: ImageResolutions;

  constructor({ effects, images, clock, report, onResolved, onPulled }: ImageSupplyOptions) {
    this.pulls = new ImagePulls({ pull: effects.pullImage, clock, report, onEnd: onPulled });
    this.resolutions = new ImageResolutions({
      resolve: (request, signal) => images.resolve(request, signal),
      clock,
      report,
      onEnd: (workload) => {
        this.#dropUnwantedPulls();
        onResolved(workload);
      },
    });
  }

  /** Whether something is on its way. */
  get isBusy(): boolean {
    return this.pulls.running > 0 || this.resolutions.running > 0;
  }

  /** Keep what these workloads want, abort the rest, and try at once what failed before. */
  retain(workloads: ReadonlySet<string>): void {
    this.resolutions.retain(workloads);
    this.#forget();
    this.#dropUnwantedPulls();
  }

  /** Try at once what failed before, and begin anew what is under way: images may have come from elsewhere. */
  forgive(): void {
    this.#forget();
    this.resolutions.restart();
  }

  /** The workloads (by `formatWorkload`) whose images include `digest`. */
  workloadsOf(digest: string): string[] {
    const entries = Object.entries(this.resolutions.entries());
    return entries.flatMap(([key, { digests }]) => (Object.values(digests).includes(digest) ? [key] : []));
  }

  /** Abort everything; fulfilled when all of it has ended. */
  async close(): Promise<void> {
    await Promise.all([this.pulls.close(), this.resolutions.close()]);
  }

  #forget(): void {
    this.pulls.forgive();
    this.resolutions.forgive();
  }

  #dropUnwantedPulls(): void {
    const digests = Object.values(this.resolutions.entries()).flatMap((entry) => Object.values(entry.digests));
    this.pulls.retain(new Set(digests));
  }
}
