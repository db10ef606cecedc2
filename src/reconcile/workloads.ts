// The workloads of this machine and the work on them: memory, queue, timers, background pulls.
import type { SourceContent } from './declarations.ts';
import type { DesiredState } from './desired-state.ts';
import type { Clock, DesiredPod, Effects, Images, Observer, WorkloadId } from './effects.ts';
import { failureOf } from './failure.ts';
import { ImageSupply } from './image-supply.ts';
import { look, type NextLook } from './loop.ts';
import { plan } from './plan.ts';
import { WorkQueue } from './queue.ts';
import type { DesiredRecord } from './desired-record.ts';
import type { RecordKeeper } from './record-keeper.ts';
import type { ReportFunction } from './report.ts';
import type { Restored } from './restore.ts';
import type { Condition } from './status.ts';
import { survey, type Subject } from './survey.ts';
import { formatWorkload } from './workload-id.ts';
import { emptyMemory, type WorkloadMemory } from './workload-memory.ts';
import type { WorkloadPlan } from './workload-plan.ts';

export type WorkloadsOptions = {
  readonly state: DesiredState;
  readonly effects: Effects;
  readonly observer: Observer;
  readonly images: Images;
  readonly record: RecordKeeper;
  readonly report: ReportFunction;
  readonly clock: Clock;
  readonly concurrency: number;
  readonly signal: AbortSignal;
};

export type WorkloadStatus = {
  readonly workload: WorkloadId;
  /** Undefined while the workload is being removed. */
  readonly source: string | undefined;
  readonly revision: string | undefined;
  readonly conditions: readonly Condition[];
  /** Milliseconds since the epoch. */
  readonly nextLook: number | undefined;
};

/** The machine could not be observed for a reason that only a person can mend: look again after this. */
const BLIND_LOOK_MS = 300_000;

export class Workloads {
  readonly #options: WorkloadsOptions;
  readonly #queue: WorkQueue;
  readonly #supply: ImageSupply;
  readonly #known = new Map<string, { readonly id: WorkloadId; readonly memory: WorkloadMemory }>();
  #served: ReadonlyMap<string, readonly DesiredPod[]> = new Map();
  #isGood = false;
  #sourcesAnswered = false;
  #settled: PromiseWithResolvers<void> | undefined;

  constructor(options: WorkloadsOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      work: (key) => this.#work(key),
      concurrency: options.concurrency,
      onIdle: () => this.#checkSettled(),
    });
    this.#supply = new ImageSupply({
      ...options,
      onResolved: (workload) => {
        this.#options.record.saveSoon(() => this.#record());
        if (options.state.declarations.has(formatWorkload(workload))) this.look(workload);
        this.#checkSettled();
      },
      onPulled: (digest) => {
        for (const key of this.#supply.workloadsOf(digest)) this.#queue.add(key);
        this.#checkSettled();
      },
    });
  }

  /** Every source has answered once, so that `settled` may be. */
  set sourcesAnswered(value: boolean) {
    this.#sourcesAnswered = value;
    this.#checkSettled();
  }

  /** Take over what the last run of the agent knew, and look at all of it. Nothing is written for that. */
  restore(restored: Restored, isGood: boolean): void {
    this.#supply.resolutions.restore(restored.resolutions);
    this.#served = restored.serving;
    this.#isGood = isGood;
    for (const content of restored.contents) this.#options.state.set(content);
    for (const { id } of this.#options.state.declarations.values()) this.look(id);
  }

  /** Put the content of a source in force, and look at every workload that it changes. */
  declare(content: SourceContent): void {
    const { state, report } = this.#options;
    const { affected, conflicts } = state.set(content);
    for (const { workload, message } of conflicts) report({ event: 'workloadConflict', workload, message });
    if (affected.length > 0) this.#isGood = false;
    this.#supply.retain(new Set(state.declarations.keys()));
    for (const id of affected) {
      this.#memoryOf(id).failures.clear();
      this.look(id);
    }
    this.#options.record.saveSoon(() => this.#record());
  }

  /** Try at once what failed before. */
  forgive(): void {
    this.#supply.forgive();
  }

  look(id: WorkloadId): void {
    this.#memoryOf(id);
    this.#queue.add(formatWorkload(id));
  }

  /** Workloads that are on the machine though nothing declares them. */
  async orphans(): Promise<WorkloadId[]> {
    const { state, observer } = this.#options;
    const found = await observer.workloads();
    return found.filter((id) => !state.declarations.has(formatWorkload(id)));
  }

  async lookAtOrphans(): Promise<void> {
    for (const id of await this.orphans()) this.look(id);
  }

  status(): WorkloadStatus[] {
    return [...this.#known]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, { id, memory }]) => {
        const declaration = this.#options.state.declarations.get(key);
        const { conditions, nextLook } = memory;
        return { workload: id, source: declaration?.source, revision: declaration?.revision, conditions, nextLook };
      });
  }

  async plans(): Promise<WorkloadPlan[]> {
    for (const id of await this.orphans()) this.#memoryOf(id);
    const subjects = [...this.#known.values()].map(({ id }) => this.#subject(id));
    return Promise.all(subjects.map((subject) => this.#planOf(subject)));
  }

  /** Fulfilled when every source has answered and nothing is left to do but to wait. */
  settled(): Promise<void> {
    this.#settled ??= Promise.withResolvers();
    const { promise } = this.#settled;
    this.#checkSettled();
    return promise;
  }

  /** Digests of every image that is declared, that served last, or that the record before this one needs. */
  wantedDigests(): Set<string> {
    const resolved = Object.values(this.#supply.resolutions.entries()).flatMap(({ digests }) => Object.values(digests));
    const serving = [...this.#known.values()].flatMap(({ memory }) => memory.serving ?? []);
    const pods = [...serving, ...[...this.#served.values()].flat()];
    return new Set([...resolved, ...pods.flatMap((pod) => pod.containers.map(({ image }) => image.digest))]);
  }

  /** Stop looking; fulfilled when all work in hand has ended. */
  async close(): Promise<void> {
    for (const { memory } of this.#known.values()) memory.timer?.[Symbol.dispose]();
    await Promise.all([this.#queue.close(), this.#supply.close()]);
  }

  async #work(key: string): Promise<void> {
    const entry = this.#known.get(key);
    const { state, clock, report, signal } = this.#options;
    if (entry === undefined || signal.aborted) return;
    const subject = this.#subject(entry.id);
    // What is not declared may only not be declared yet.
    if (subject.declared === undefined && !state.isComplete) return;
    const { memory } = entry;
    try {
      const next = await look(subject, { ...this.#options, ...this.#sources() });
      memory.lookFailure = undefined;
      this.#afterLook(key, next);
    } catch (error) {
      if (signal.aborted) return;
      const failure = failureOf(error, memory.lookFailure, clock.now());
      memory.lookFailure = failure;
      report({ event: 'lookFailed', workload: entry.id, failure });
      this.#schedule(key, memory, failure.retryAt ?? clock.now() + BLIND_LOOK_MS);
    }
  }

  #afterLook(key: string, { at, isGone }: NextLook): void {
    const entry = this.#known.get(key);
    if (entry === undefined) return;
    this.#schedule(key, entry.memory, at);
    if (isGone && !this.#options.state.declarations.has(key)) {
      this.#known.delete(key);
      this.#options.report({ event: 'workloadGone', workload: entry.id });
    }
    if (!this.#isGood && this.#areAllReady()) {
      this.#isGood = true;
      this.#options.record.save(this.#record());
    }
  }

  #schedule(key: string, memory: WorkloadMemory, at: number | undefined): void {
    const { clock, signal } = this.#options;
    memory.timer?.[Symbol.dispose]();
    memory.timer = undefined;
    memory.nextLook = at;
    if (at === undefined || signal.aborted) return;
    const delayMs = at - clock.now();
    if (delayMs <= 0) this.#queue.add(key);
    else memory.timer = clock.setTimer(delayMs, () => this.#queue.add(key));
  }

  async #planOf(subject: Subject): Promise<WorkloadPlan> {
    const { situation, pending, isUnknown } = await survey(subject, { ...this.#options, ...this.#sources() });
    const planned = isUnknown ? { steps: [], waits: [] } : plan(situation);
    const problem = pending === undefined ? undefined : (pending.failure?.message ?? 'its images are being resolved');
    return { workload: subject.id, plan: planned, problem };
  }

  #sources(): Pick<ImageSupply, 'pulls' | 'resolutions'> {
    return { pulls: this.#supply.pulls, resolutions: this.#supply.resolutions };
  }

  #subject(id: WorkloadId): Subject {
    return { id, declared: this.#options.state.declarations.get(formatWorkload(id)), memory: this.#memoryOf(id) };
  }

  #memoryOf(id: WorkloadId): WorkloadMemory {
    const key = formatWorkload(id);
    const known = this.#known.get(key) ?? { id, memory: emptyMemory(this.#served.get(key)) };
    this.#known.set(key, known);
    return known.memory;
  }

  #areAllReady(): boolean {
    const { state } = this.#options;
    if (!state.isComplete) return false;
    return [...state.declarations.keys()].every((key) => {
      const conditions = this.#known.get(key)?.memory.conditions ?? [];
      return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    });
  }

  #record(): DesiredRecord {
    const { state } = this.#options;
    const sources = state.contents().map(({ source, revision, files }) => ({ source, revision, files: [...files] }));
    return { format: 1, good: this.#isGood, sources, resolutions: this.#supply.resolutions.entries() };
  }

  #checkSettled(): void {
    if (this.#settled === undefined || !this.#sourcesAnswered) return;
    if (!this.#queue.isIdle || this.#supply.isBusy) return;
    if ([...this.#known.values()].some(({ memory }) => isUnderWay(memory))) return;
    this.#settled.resolve();
    this.#settled = undefined;
  }
}

const UNDER_WAY: ReadonlySet<string> = new Set([
  'Working',
  'RolloutPaused',
  'NameTaken',
  'AwaitingReadiness',
  'AwaitingCompletion',
  'AwaitingTurn',
]);

/** Waits that end by themselves in a moment, where a crash loop or an unreachable registry does not. */
function isUnderWay({ conditions }: WorkloadMemory): boolean {
  const progressing = conditions.find((condition) => condition.type === 'Progressing');
  return progressing?.status === 'True' && UNDER_WAY.has(progressing.reason);
}
