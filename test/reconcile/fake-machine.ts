// A machine in memory behind the reconciler's interfaces: many workloads, slow registries, failing steps.
import assert from 'node:assert';

import type {
  ActualContainer,
  ActualPod,
  Effects,
  ImageRequest,
  Images,
  Observer,
  Step,
  WorkloadId,
} from '../../src/reconcile/effects.ts';
import { subjectOf } from '../../src/reconcile/failure.ts';
import type { RunRecord } from '../../src/reconcile/run-record.ts';
import { formatWorkload, parseWorkload, sameWorkload } from '../../src/reconcile/workload-id.ts';
import type { ManualClock } from './manual-clock.ts';
import { digestOf } from './sample-workload.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type FakePod = Mutable<Omit<ActualPod, 'containers'>> & { containers: Mutable<ActualContainer>[] };

export class FakeMachine implements Observer, Images {
  pods_: FakePod[] = [];
  readonly images = new Set<string>();
  /** Every step in order: `startContainer web/main`. */
  readonly log: string[] = [];
  /** Every image request that was made. */
  readonly asked: string[] = [];
  /** References that nobody can resolve, with the error they give. */
  readonly unresolvable = new Map<string, Error>();
  /** References that the registry answers about only when these are resolved. */
  readonly unanswered = new Map<string, PromiseWithResolvers<void>>();
  /** Digests whose pull hangs until it is aborted or released. */
  readonly hanging = new Map<string, PromiseWithResolvers<void>>();
  /** Errors by the log line of a step. */
  readonly failing = new Map<string, Error>();
  /** Called before each step; may throw to play a dying agent. */
  beforeStep: (line: string) => void = () => {};
  observeError: Error | undefined;
  readonly imported: string[] = [];
  readonly runs = new Map<string, RunRecord>();
  readonly #clock: ManualClock;
  #nextId = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  readonly effects: Effects = {
    pullImage: (step, signal) => this.#pull(step, signal),
    createSandbox: (step) =>
      this.#step(step, () => {
        const { workload, namespace, name, uid, hash, spec } = step.pod;
        if (this.pods_.some((pod) => pod.uid === uid)) return;
        assert(!this.pods_.some((pod) => pod.name === name && pod.namespace === namespace), `second pod ${name}`);
        const graceSeconds = spec.terminationGracePeriodSeconds;
        this.pods_.push({ workload, namespace, name, uid, hash, graceSeconds, sandbox: 'ready', containers: [] });
      }),
    startContainer: (step) =>
      this.#step(step, () => {
        assert(this.images.has(step.container.image.digest), 'the image is here');
        const pod = this.pods_.find((candidate) => candidate.uid === step.pod.uid);
        assert(pod !== undefined, 'the sandbox is here');
        assert(!pod.containers.some(({ name }) => name === step.container.name), 'no second container');
        this.#nextId += 1;
        pod.volumes = step.pod.volumes;
        const { name, hash, spec } = step.container;
        const ended = { finishedAt: undefined, exitCode: undefined, state: 'running' as const };
        const startedAt = this.#clock.now();
        pod.containers.push({
          name,
          role: spec.role,
          hash,
          id: String(this.#nextId),
          startedAt,
          history: step.history,
          ...ended,
        });
      }),
    updateVolumes: (step) =>
      this.#step(step, () => {
        const pod = this.pods_.find((candidate) => candidate.uid === step.pod.uid);
        if (pod !== undefined) pod.volumes = step.pod.volumes;
      }),
    stopContainer: (step) => this.#step(step, () => this.exit(`${step.pod.name}/${step.container.name}`, 143)),
    removeContainer: (step) =>
      this.#step(step, () => {
        const pod = this.pods_.find((candidate) => candidate.uid === step.pod.uid);
        if (pod !== undefined) pod.containers = pod.containers.filter(({ id }) => id !== step.container.id);
      }),
    recordRun: (step) =>
      this.#step(step, () => {
        const key = formatWorkload(step.workload);
        if (step.record === undefined) this.runs.delete(key);
        else this.runs.set(key, step.record);
      }),
    removeSandbox: (step) =>
      this.#step(step, () => {
        this.pods_ = this.pods_.filter((pod) => pod.uid !== step.pod.uid);
      }),
  };

  async workloads(): Promise<WorkloadId[]> {
    const recorded = [...this.runs.keys()].flatMap((key) => parseWorkload(key) ?? []);
    return [...this.pods_.map((pod) => pod.workload), ...recorded];
  }

  async pods(workload: WorkloadId, names: readonly string[]): Promise<ActualPod[]> {
    if (this.observeError !== undefined) throw this.observeError;
    const found = this.pods_.filter((pod) => {
      const bearsName = pod.namespace === workload.namespace && names.includes(pod.name);
      return sameWorkload(pod.workload, workload) || bearsName;
    });
    return structuredClone(found);
  }

  async run(workload: WorkloadId): Promise<RunRecord | undefined> {
    return this.runs.get(formatWorkload(workload));
  }

  async hasImage(digest: string): Promise<boolean> {
    return this.images.has(digest);
  }

  async resolve({ reference, policy }: ImageRequest, signal: AbortSignal): Promise<string> {
    this.asked.push(`${policy} ${reference}`);
    await unlessAborted(this.unanswered.get(reference), signal);
    const error = this.unresolvable.get(reference);
    if (error !== undefined) throw error;
    return digestOf(reference);
  }

  async importFile(path: string): Promise<void> {
    this.imported.push(path);
  }

  /** End a container, `pod/name`. */
  exit(subject: string, exitCode: number): void {
    const container = this.#container(subject);
    assert.equal(container.state, 'running', `${subject} runs`);
    Object.assign(container, { state: 'exited', finishedAt: this.#clock.now(), exitCode });
  }

  /** `web/main running`, sorted. */
  running(): string[] {
    const all = this.pods_.flatMap((pod) => pod.containers.map((c) => ({ line: `${pod.name}/${c.name}`, c })));
    return all.flatMap(({ line, c }) => (c.state === 'running' ? [line] : [])).sort();
  }

  hashOf(subject: string): string {
    return this.#container(subject).hash;
  }

  idOf(subject: string): string {
    return this.#container(subject).id;
  }

  #container(subject: string): Mutable<ActualContainer> {
    const [podName, name] = subject.split('/');
    const pod = this.pods_.find((candidate) => candidate.name === podName);
    const container = pod?.containers.find((candidate) => candidate.name === name);
    assert(container !== undefined, `${subject} is here`);
    return container;
  }

  async #step(step: Step, act: () => void): Promise<void> {
    const { pod, container } = subjectOf(step);
    const line = `${step.do} ${pod}${container === undefined ? '' : `/${container}`}`;
    this.beforeStep(line);
    this.log.push(line);
    const error = this.failing.get(line);
    if (error !== undefined) throw error;
    act();
  }

  async #pull({ image }: Step<'pullImage'>, signal: AbortSignal): Promise<void> {
    this.log.push(`pullImage ${image.reference}`);
    await unlessAborted(this.hanging.get(image.digest), signal);
    const error = this.failing.get(`pullImage ${image.reference}`);
    if (error !== undefined) throw error;
    this.images.add(image.digest);
  }
}

/** Wait, if there is something to wait for; rejects when the signal aborts first. */
async function unlessAborted(waited: PromiseWithResolvers<void> | undefined, signal: AbortSignal): Promise<void> {
  if (waited === undefined) return;
  const aborted = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => aborted.reject(new Error('aborted')), { once: true });
  await Promise.race([waited.promise, aborted.promise]);
}
