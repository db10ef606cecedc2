// Keeps the machine equal to its sources: revisions in, looks out. Wiring only; what to do is decided in plan.ts.
import type { Desired } from '../spec/model.ts';
import { acceptRevision, type LoadManifests } from './accept-revision.ts';
import { DesiredState } from './desired-state.ts';
import type { Clock, Effects, Images, Observer, WorkloadId } from './effects.ts';
import { ImageImports } from './image-imports.ts';
import { pause } from './pause.ts';
import type { RecordKeeper } from './record-keeper.ts';
import type { ReportFunction } from './report.ts';
import { restore } from './restore.ts';
import type { Source, SourceUpdate } from './source.ts';
import { Workloads, type WorkloadStatus } from './workloads.ts';
import type { WorkloadPlan } from './workload-plan.ts';

export type ReconcilerOptions = {
  readonly sources: readonly Source[];
  readonly loadManifests: LoadManifests;
  readonly effects: Effects;
  readonly observer: Observer;
  readonly images: Images;
  readonly record: RecordKeeper;
  readonly report: ReportFunction;
  readonly clock: Clock;
  /** A source that says nothing at all removes all of its workloads. */
  readonly allowEmpty?: boolean;
  /** How many workloads are worked on side by side. */
  readonly concurrency?: number;
};

const CONCURRENCY = 64;
/** After a source that broke off, which none should. */
const SOURCE_RETRY_MS = 10_000;

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #state: DesiredState;
  readonly #workloads: Workloads;
  readonly #imports: ImageImports;
  readonly #controller = new AbortController();
  /** Sources that have not answered yet, well or badly. */
  readonly #silent: Set<string>;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    const names = options.sources.map((source) => source.name);
    this.#silent = new Set(names);
    this.#state = new DesiredState(names);
    this.#imports = new ImageImports((path, signal) => options.images.importFile(path, signal), options.report);
    this.#workloads = new Workloads({
      ...options,
      state: this.#state,
      concurrency: options.concurrency ?? CONCURRENCY,
      signal: this.#controller.signal,
    });
  }

  /**
   * Run what the desired record says, then follow the sources until `signal` aborts. Fulfilled when all work in hand has
   * ended and the record is written; the containers run on. Call once.
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#controller.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await this.#boot();
      await Promise.all(this.#options.sources.map((source) => this.#follow(source)));
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
      await this.#workloads.close();
      await this.#options.record.flushed();
    }
  }

  /** Something happened to a workload, such as an exit: look soon. */
  look(workload: WorkloadId): void {
    this.#workloads.look(workload);
  }

  /** Something happened that may concern any workload, such as an image that was imported: try again what failed. */
  lookAll(): void {
    this.#workloads.forgive();
    for (const { id } of this.#state.declarations.values()) this.look(id);
  }

  /** Every declared workload and every one that is being removed. */
  status(): WorkloadStatus[] {
    return this.#workloads.status();
  }

  /** What the sources declare now, in the order in which they are configured. */
  declared(): readonly Desired[] {
    return this.#state.contents().map(({ desired }) => desired);
  }

  /** What would be done now, without doing it. */
  async plans(): Promise<WorkloadPlan[]> {
    return this.#workloads.plans();
  }

  /** Images that must not be collected as garbage: declared, served last, or needed to go back. */
  wantedDigests(): Set<string> {
    return this.#workloads.wantedDigests();
  }

  /** Fulfilled when every source has answered and nothing is left to do but to wait. For `--once`. */
  async settled(): Promise<void> {
    await this.#workloads.settled();
  }

  async #boot(): Promise<void> {
    const { record, loadManifests, report, sources } = this.#options;
    const records = await record.read();
    const restored = restore(
      records,
      sources.map((source) => source.name),
      loadManifests,
    );
    for (const { message } of restored.problems) report({ event: 'recordFailed', message });
    this.#workloads.restore(restored, records.current?.good ?? false);
    await this.#workloads.lookAtOrphans();
  }

  async #follow(source: Source): Promise<void> {
    const { signal } = this.#controller;
    while (!signal.aborted) {
      try {
        for await (const update of source.revisions(signal)) {
          if (signal.aborted) return;
          await this.#take(source.name, update);
          if (update.kind !== 'failed') await this.#tellApplied(source, update.revision);
          this.#answered(source.name);
        }
      } catch (error) {
        // Reading on from the beginning is safe: what is known already is not acted on again.
        if (signal.aborted) return;
        const message = error instanceof Error ? error.message : String(error);
        this.#options.report({ event: 'sourceFailed', source: source.name, code: 'SOURCE_IO', message });
        this.#answered(source.name);
        await pause(SOURCE_RETRY_MS, signal);
      }
    }
  }

  #answered(source: string): void {
    this.#silent.delete(source);
    this.#workloads.sourcesAnswered = this.#silent.size === 0;
  }

  async #take(source: string, update: SourceUpdate): Promise<void> {
    const { report } = this.#options;
    if (update.kind === 'failed') {
      return report({ event: 'sourceFailed', source, code: update.code, message: update.message });
    }
    if (update.kind === 'revision') {
      const imported = await this.#imports.importNew(source, update.images, this.#controller.signal);
      if (imported > 0) this.lookAll();
    }
    if (update.kind === 'unchanged' || this.#state.content(source)?.revision === update.revision) {
      return report({ event: 'sourceChecked', source, revision: update.revision });
    }
    await this.#takeRevision(source, update);
  }

  /** A source that must not go back knows what is in force, before it looks again. */
  async #tellApplied(source: Source, revision: string): Promise<void> {
    if (this.#state.content(source.name)?.revision !== revision) return;
    try {
      await source.applied?.(revision, this.#controller.signal);
    } catch (error) {
      if (this.#controller.signal.aborted) return;
      const why = error instanceof Error ? error.message : String(error);
      const message = `Cannot note that ${revision} of ${source.name} is applied: ${why}`;
      this.#options.report({ event: 'recordFailed', message });
    }
  }

  async #takeRevision(source: string, update: Extract<SourceUpdate, { kind: 'revision' }>): Promise<void> {
    const { report, loadManifests, allowEmpty = false } = this.#options;
    const { revision, files } = update;
    const previous = this.#state.content(source);
    const orphans = previous === undefined ? (await this.#workloads.orphans()).length : 0;
    const loaded = loadManifests(files);
    const verdict = acceptRevision({ source, revision, files, loaded, previous, orphans, allowEmpty });
    if ('refused' in verdict) {
      return report({ event: 'revisionRefused', source, revision, reason: verdict.refused, errors: verdict.errors });
    }
    const workloads = verdict.accepted.desired.workloads.length;
    report({ event: 'revisionAccepted', source, revision, workloads });
    this.#workloads.declare(verdict.accepted);
    if (previous === undefined) await this.#workloads.lookAtOrphans();
  }
}
