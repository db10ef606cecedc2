// A machine in memory: it carries out steps, refuses illegal ones, and can be hurt. For property tests of the planner.
import assert from 'node:assert';

import type { ActualContainer, ActualPod, DesiredPod, Step, WorkloadId } from '../../src/reconcile/effects.ts';
import { failureKey, failureOf, type Failure } from '../../src/reconcile/failure.ts';
import type { Run, RunRecord } from '../../src/reconcile/run-record.ts';
import { nextLook, type ImageFact, type Plan, type Situation } from '../../src/reconcile/situation.ts';

export type Planner = (situation: Situation) => Plan;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type ModelPod = Mutable<Omit<ActualPod, 'containers'>> & { containers: Mutable<ActualContainer>[] };

export class ModelWorld {
  pods: ModelPod[] = [];
  readonly images = new Set<string>();
  readonly failures = new Map<string, Failure>();
  readonly pullFailures = new Map<string, Failure>();
  now = 1_000_000;
  desired: readonly DesiredPod[] | undefined;
  /** How it comes to an end, where it does; and what is recorded of that. */
  run: Pick<Run, 'spec' | 'key'> | undefined;
  record: RunRecord | undefined;
  serving: readonly DesiredPod[] | undefined;
  /** Digests that cannot be pulled at present. */
  readonly unreachable = new Set<string>();
  /** How many more starts fail. */
  failingStarts = 0;
  /** Hashes of containers that end as soon as they start. */
  readonly endsAtOnce = new Set<string>();
  /** The fewest pods that served at any moment since it was last set. */
  fewestServing = Number.POSITIVE_INFINITY;
  readonly #workload: WorkloadId;
  /** Sandboxes in which what comes first has been done: from then on no container waits for another. */
  readonly #begun = new Set<string>();
  #nextId = 0;

  constructor(workload: WorkloadId) {
    this.#workload = workload;
  }

  declare(pods: readonly DesiredPod[] | undefined): void {
    this.desired = pods;
    this.failures.clear();
    this.pullFailures.clear();
  }

  situation(): Situation {
    const facts = new Map<string, ImageFact>();
    for (const digest of this.images) facts.set(digest, { state: 'present' });
    for (const [digest, failure] of this.pullFailures) facts.set(digest, { state: 'failed', failure });
    return {
      workload: this.#workload,
      desired: this.desired,
      serving: this.serving,
      actual: structuredClone(this.pods),
      ...(this.run === undefined && this.record === undefined
        ? {}
        : { run: { spec: undefined, key: '', ...this.run, record: this.record } }),
      images: facts,
      failures: this.failures,
      now: this.now,
    };
  }

  /** One look, as the loop does it. Returns the plan that was carried out. */
  round(planner: Planner): Plan {
    if (this.desired !== undefined && this.allPresent(this.desired)) this.serving = this.desired;
    const plan = planner(this.situation());
    const blocked = new Set<string>();
    for (const step of plan.steps) {
      if (step.do === 'lookAgain') break;
      if (step.do === 'recordRun') {
        this.apply(step);
        continue;
      }
      if (step.do === 'pullImage') {
        this.#pull(step);
        break;
      }
      if (!blocked.has(step.pod.name)) this.#attempt(step, blocked);
    }
    this.#endInitContainers();
    this.now = Math.max(this.now + 1, plan.steps.length > 0 ? 0 : (nextLook(plan) ?? 0));
    return plan;
  }

  allPresent(pods: readonly DesiredPod[]): boolean {
    return pods.every((pod) => pod.containers.every(({ image }) => this.images.has(image.digest)));
  }

  servingCount(): number {
    return this.pods.filter((pod) => pod.containers.some(({ role }) => role === 'main') && pod.containers.every(serves))
      .length;
  }

  /** End the `index`-th running container (counted round and round), as a crash would. */
  crash(index: number, exitCode: number): void {
    const running = this.pods.flatMap((pod) => pod.containers).filter((container) => container.state === 'running');
    const victim = running[index % Math.max(1, running.length)];
    if (victim === undefined) return;
    Object.assign(victim, { state: 'exited', finishedAt: this.now, exitCode });
  }

  /** Init containers that run end well. */
  #endInitContainers(): void {
    for (const container of this.pods.flatMap((pod) => pod.containers)) {
      if (container.role !== 'init' || container.state !== 'running') continue;
      Object.assign(container, { state: 'exited', finishedAt: this.now, exitCode: 0 });
    }
  }

  #pull({ image }: Step<'pullImage'>): void {
    if (this.unreachable.has(image.digest)) {
      const failure = failureOf(new Error('unreachable'), this.pullFailures.get(image.digest), this.now);
      this.pullFailures.set(image.digest, failure);
      return;
    }
    this.pullFailures.delete(image.digest);
    this.images.add(image.digest);
  }

  #attempt(step: Exclude<Step, Step<'recordRun'>>, blocked: Set<string>): void {
    if (step.do === 'startContainer' && this.failingStarts > 0) {
      this.failingStarts -= 1;
      const key = failureKey(step);
      this.failures.set(key, failureOf(new Error('no such command'), this.failures.get(key), this.now));
      blocked.add(step.pod.name);
      return;
    }
    this.apply(step);
    this.failures.delete(failureKey(step));
    this.fewestServing = Math.min(this.fewestServing, this.servingCount());
  }

  /** Carry out one step, or throw an AssertionError that says which rule it breaks. */
  apply(step: Step): void {
    switch (step.do) {
      case 'recordRun':
        this.record = step.record;
        return;
      case 'createSandbox':
        return this.#createSandbox(step);
      case 'startContainer':
        return this.#startContainer(step);
      case 'updateVolumes':
        this.#pod(step.pod.uid).volumes = step.pod.volumes;
        return;
      case 'stopContainer':
        return this.#stopContainer(step);
      case 'removeContainer': {
        const pod = this.#pod(step.pod.uid);
        const container = found(pod, step.container.id);
        assert.notEqual(container.state, 'running', 'a running container is not removed');
        pod.containers = pod.containers.filter((other) => other !== container);
        return;
      }
      case 'removeSandbox': {
        const pod = this.#pod(step.pod.uid);
        assert.deepEqual(pod.containers, [], 'a sandbox with containers in it is not removed');
        this.pods = this.pods.filter((other) => other !== pod);
        this.#begun.delete(pod.uid);
        return;
      }
      case 'pullImage':
      case 'lookAgain':
        return;
    }
  }

  #createSandbox({ pod }: Step<'createSandbox'>): void {
    assert(!this.pods.some((other) => other.name === pod.name), `there is a pod named ${pod.name} already`);
    this.pods.push({
      workload: pod.workload,
      namespace: pod.namespace,
      name: pod.name,
      uid: pod.uid,
      hash: pod.hash,
      graceSeconds: pod.spec.terminationGracePeriodSeconds,
      sandbox: 'ready',
      containers: [],
    });
  }

  #startContainer({ pod, container, history }: Step<'startContainer'>): void {
    assert(this.images.has(container.image.digest), 'a container is only started from an image that is here');
    const sandbox = this.#pod(pod.uid);
    assert.equal(sandbox.sandbox, 'ready', 'nothing starts in a broken sandbox');
    const ends = this.endsAtOnce.has(container.hash);
    const twins = this.pods.filter((other) => other.name === pod.name).flatMap((other) => other.containers);
    assert(!twins.some((other) => other.name === container.name), `two containers ${pod.name}/${container.name}`);
    sandbox.volumes = pod.volumes;
    if (!this.#begun.has(pod.uid)) assertTurn(sandbox, pod, container.name);
    if (container.spec.role === 'main') this.#begun.add(pod.uid);
    this.#nextId += 1;
    sandbox.containers.push({
      name: container.name,
      role: container.spec.role,
      id: String(this.#nextId),
      hash: container.hash,
      state: ends ? 'exited' : 'running',
      startedAt: this.now,
      finishedAt: ends ? this.now : undefined,
      exitCode: ends ? 1 : undefined,
      history,
    });
  }

  #stopContainer({ pod, container }: Step<'stopContainer'>): void {
    const target = found(this.#pod(pod.uid), container.id);
    assert.equal(target.state, 'running', 'only a running container is stopped');
    if (this.desired !== undefined && this.desired.some((wanted) => wanted.name === pod.name)) {
      assert(this.#canReplace(this.desired), 'nothing is stopped before every image that a start needs is here');
    }
    Object.assign(target, { state: 'exited', finishedAt: this.now, exitCode: 143 });
  }

  /** Whether every declared container runs as declared already, or its image is here. */
  #canReplace(pods: readonly DesiredPod[]): boolean {
    return pods.every((pod) => {
      const running = this.pods.find(({ uid, sandbox }) => uid === pod.uid && sandbox === 'ready')?.containers ?? [];
      const runs = (hash: string): boolean => running.some((one) => one.hash === hash && one.state === 'running');
      return pod.containers.every(({ hash, image }) => runs(hash) || this.images.has(image.digest));
    });
  }

  #pod(uid: string): ModelPod {
    const pod = this.pods.find((candidate) => candidate.uid === uid);
    assert(pod !== undefined, `there is no pod ${uid}`);
    return pod;
  }
}

function found(pod: ModelPod, id: string): Mutable<ActualContainer> {
  const container = pod.containers.find((candidate) => candidate.id === id);
  assert(container !== undefined, `there is no container ${id}`);
  return container;
}

function serves({ role, state }: ActualContainer): boolean {
  return role === 'init' || state === 'running';
}

/** Before a container starts for the first time, every init container before it has ended well and every sidecar runs. */
function assertTurn(sandbox: ModelPod, { containers }: DesiredPod, name: string): void {
  for (const before of containers.slice(
    0,
    containers.findIndex((container) => container.name === name),
  )) {
    const { role } = before.spec;
    if (role === 'main') continue;
    const there = sandbox.containers.find((container) => container.name === before.name);
    const isDone = role === 'init' ? there?.exitCode === 0 : there?.state === 'running';
    assert(isDone, `${name} starts only after the ${role} container ${before.name}`);
  }
}
