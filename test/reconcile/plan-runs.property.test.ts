import assert from 'node:assert';

import test from 'ava';
import * as fc from 'fast-check';

import type { DesiredPod, Step } from '../../src/reconcile/effects.ts';
import { plan } from '../../src/reconcile/plan.ts';
import type { RunRecord } from '../../src/reconcile/run-record.ts';
import type { JobSpec } from '../../src/spec/model.ts';
import { ModelWorld, type Planner } from './model-world.ts';
import { digestOf, podsOf, sampleContainer, samplePod, sampleWorkload } from './sample-workload.ts';

const ID = { kind: 'Job', namespace: 'default', name: 'web' } as const;
const KEY = 'template';

type Case = {
  readonly completions: number;
  readonly parallelism: number;
  readonly backoffLimit: number;
  readonly restartPolicy: 'Never' | 'OnFailure';
  readonly names: readonly string[];
};

const jobCase: fc.Arbitrary<Case> = fc.record({
  completions: fc.integer({ min: 1, max: 4 }),
  parallelism: fc.integer({ min: 1, max: 3 }),
  backoffLimit: fc.integer({ min: 0, max: 3 }),
  restartPolicy: fc.constantFrom('Never', 'OnFailure'),
  names: fc.uniqueArray(fc.constantFrom('main', 'side'), { minLength: 1 }),
});

/** One look, cut off after some of its steps (a killed agent), and what happens to what runs. */
type Turn = {
  readonly steps: number;
  readonly happens: 'nothing' | 'ends' | 'fails' | 'reboot' | 'suspend' | 'resume';
  readonly index: number;
};

const turn: fc.Arbitrary<Turn> = fc.record({
  steps: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(Number.POSITIVE_INFINITY)),
  happens: fc.constantFrom('nothing', 'ends', 'ends', 'fails', 'fails', 'reboot', 'suspend', 'resume'),
  index: fc.nat(9),
});

class JobWorld {
  readonly world = new ModelWorld(ID);
  readonly pods: readonly DesiredPod[];
  readonly job: Case;
  spec: JobSpec;
  /** Attempts at pods that failed, as the machine knows it. */
  failures = 0;
  /** What was known to have ended well when a look began. */
  readonly done = new Set<string>();
  readonly #planner: Planner;

  constructor(job: Case, planner: Planner) {
    this.#planner = planner;
    this.job = job;
    const { parallelism, backoffLimit, restartPolicy, names, completions } = job;
    this.spec = {
      parallelism,
      backoffLimit,
      suspend: false,
      activeDeadlineSeconds: undefined,
      ttlSecondsAfterFinished: undefined,
    };
    const containers = names.map((name) => sampleContainer({ name }));
    this.pods = podsOf(sampleWorkload({ ...ID, replicas: completions, pod: samplePod({ containers, restartPolicy }) }));
    this.world.declare(this.pods);
    this.world.images.add(digestOf('example.test/web:1'));
  }

  /** Plan, and carry out the first `limit` steps. */
  look(limit: number): number {
    this.world.run = { spec: this.spec, key: KEY };
    for (const name of this.world.record?.done ?? []) this.done.add(name);
    const { steps, waits } = this.#planner(this.world.situation());
    for (const step of steps.slice(0, limit)) {
      if (step.do === 'lookAgain') break;
      this.#check(step);
      this.world.apply(step);
    }
    const times = waits.flatMap(({ until }) => (until === undefined ? [] : [until]));
    this.world.now = Math.max(this.world.now + 1, steps.length > 0 ? 0 : Math.min(...times, this.world.now + 1_000));
    return steps.length;
  }

  #check(step: Step): void {
    if (step.do !== 'startContainer') return;
    assert(this.world.record?.outcome === undefined, 'nothing starts when all is over');
    assert(!this.spec.suspend, 'nothing starts while it is suspended');
    assert(!this.done.has(step.pod.name), 'what has ended well never starts again');
    const live = new Set(this.world.pods.filter(isLive).map(({ name }) => name)).add(step.pod.name);
    assert(live.size <= this.spec.parallelism, 'no more run side by side than parallelism says');
  }

  /** The `index`-th of the containers that run ends. */
  end(index: number, exitCode: number): void {
    const running = this.world.pods.flatMap((pod) => pod.containers.filter(({ state }) => state === 'running'));
    const victim = running[index % Math.max(1, running.length)];
    if (victim === undefined) return;
    Object.assign(victim, { state: 'exited', finishedAt: this.world.now, exitCode });
    if (exitCode !== 0) this.failures += 1;
  }

  happen({ happens, index }: Turn): void {
    if (happens === 'ends') this.end(index, 0);
    if (happens === 'fails') this.end(index, 1);
    // The records of what ran are in memory; what is done is on the disk.
    if (happens === 'reboot') this.world.pods = [];
    if (happens === 'suspend') this.spec = { ...this.spec, suspend: true };
    if (happens === 'resume') this.spec = { ...this.spec, suspend: false };
  }
}

function isLive({ containers }: { readonly containers: readonly { readonly state: string }[] }): boolean {
  return containers.some(({ state }) => state === 'running');
}

/** Whatever happens, what is over stays over, what is done stays done, and no failure counts twice. */
function staysDone(planner: Planner): void {
  const property = fc.property(jobCase, fc.array(turn, { maxLength: 60, size: 'max' }), (job, turns) => {
    const scene = new JobWorld(job, planner);
    for (const one of turns) {
      const before = scene.world.record;
      scene.look(one.steps);
      assertForward(before, scene.world.record);
      assert((scene.world.record?.failures ?? 0) <= scene.failures, 'each failure counts once');
      scene.happen(one);
    }
  });
  fc.assert(property, { numRuns: 400 });
}

function assertForward(before: RunRecord | undefined, after: RunRecord | undefined): void {
  if (before === undefined) return;
  assert(after !== undefined, 'what is recorded is never forgotten while it is declared');
  assert(
    before.done.every((name) => after.done.includes(name)),
    'what is done stays done',
  );
  if (before.outcome !== undefined) assert.deepEqual(after.outcome, before.outcome, 'what is over stays over');
}

/** Where every container ends well, or fails often enough, the Job comes to its end and rests there. */
function comesToItsEnd(planner: Planner): void {
  const property = fc.property(jobCase, fc.boolean(), (job, fails) => {
    const scene = new JobWorld(job, planner);
    for (let round = 0; round < 200; round++) {
      scene.look(Number.POSITIVE_INFINITY);
      scene.end(round, fails ? 1 : 0);
    }
    const { record } = scene.world;
    assert(record !== undefined, 'it is recorded');
    assert.equal(record.outcome?.reason, fails ? 'BackoffLimitExceeded' : 'Completed');
    if (fails) assert(record.failures > job.backoffLimit, 'it failed as often as it may, and once more');
    else assert.equal(record.done.length, job.completions);
    assert.equal(scene.look(Number.POSITIVE_INFINITY), 0, 'rest: what is over plans nothing');
    scene.world.pods = [];
    assert.equal(scene.look(Number.POSITIVE_INFINITY), 0, 'rest: nor after a reboot');
  });
  fc.assert(property, { numRuns: 60 });
}

function check(planner: Planner): void {
  staysDone(planner);
  comesToItsEnd(planner);
}

test('what is done stays done, whenever the agent is killed or the machine boots', (t) => {
  t.notThrows(() => staysDone(plan));
});

test('a Job ends when all have ended well or too many have failed, and rests', (t) => {
  t.notThrows(() => comesToItsEnd(plan));
});

const MUTANTS: Readonly<Record<string, Planner>> = {
  'never records': editSteps((steps) => steps.filter((step) => step.do !== 'recordRun')),
  'forgets when it is over': editRecord((record) => (record?.outcome === undefined ? record : undefined)),
  'forgets which pods are done': editRecord((record) => record && { ...record, done: [] }),
  'counts a failure at every look': editRecord((record) => record && { ...record, counted: [] }),
  'records after it acts': editSteps((steps) => steps.toSorted((a, b) => rank(a) - rank(b))),
  'knows no parallelism': withSpec((spec) => ({ ...spec, parallelism: 1000 })),
  'knows no limit of failures': withSpec((spec) => ({ ...spec, backoffLimit: 1000 })),
  'is never suspended': withSpec((spec) => ({ ...spec, suspend: false })),
  'does nothing': () => ({ steps: [], waits: [] }),
};

for (const [name, mutant] of Object.entries(MUTANTS)) {
  test(`the properties of runs notice a planner that ${name}`, (t) => {
    t.throws(() => check(mutant));
  });
}

function editSteps(edit: (steps: Step[]) => Step[]): Planner {
  return (situation) => {
    const { steps, waits } = plan(situation);
    return { steps: edit([...steps]), waits };
  };
}

function editRecord(edit: (record: RunRecord | undefined) => RunRecord | undefined): Planner {
  return editSteps((steps) =>
    steps.map((step) => (step.do === 'recordRun' ? { ...step, record: edit(step.record) } : step)),
  );
}

function withSpec(edit: (spec: JobSpec) => JobSpec): Planner {
  return (situation) => {
    const { run } = situation;
    if (run?.spec === undefined || run.spec === 'Pod') return plan(situation);
    return plan({ ...situation, run: { ...run, spec: edit(run.spec) } });
  };
}

function rank(step: Step): number {
  return step.do === 'recordRun' ? 1 : 0;
}
