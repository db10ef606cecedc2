import assert from 'node:assert';

import test from 'ava';
import * as fc from 'fast-check';

import type { DesiredPod, Step } from '../../src/reconcile/effects.ts';
import { plan } from '../../src/reconcile/plan.ts';
import type { Plan, Situation } from '../../src/reconcile/situation.ts';
import { ModelWorld, type Planner } from './model-world.ts';
import { digestOf, podsOf, sampleContainer, samplePod, sampleWorkload } from './sample-workload.ts';

const ID = { kind: 'StatefulSet', namespace: 'default', name: 'web' } as const;
const IMAGES = [1, 2, 3].map((tag) => `example.test/web:${tag}`);

type Version = { readonly replicas: number; readonly tag: number; readonly host: boolean };

const version: fc.Arbitrary<Version> = fc.record({
  replicas: fc.integer({ min: 0, max: 4 }),
  tag: fc.integer({ min: 1, max: 3 }),
  host: fc.boolean(),
});

function pods({ replicas, tag, host }: Version): DesiredPod[] {
  const pod = samplePod({ containers: [sampleContainer({ image: `example.test/web:${tag}` })], hostNetwork: host });
  return podsOf(sampleWorkload({ ...ID, replicas, pod }));
}

/** A world in which every step must come in its order. */
class OrderedWorld {
  readonly world = new ModelWorld(ID);
  readonly #planner: Planner;

  constructor(planner: Planner) {
    this.#planner = planner;
    for (const image of IMAGES) this.world.images.add(digestOf(image));
  }

  look(): Plan {
    const planned = this.#planner({ ...this.world.situation(), isOrdered: true });
    for (const step of planned.steps) {
      if (step.do === 'lookAgain') break;
      this.#check(step);
      this.world.apply(step);
    }
    const times = planned.waits.flatMap(({ until }) => (until === undefined ? [] : [until]));
    const next = planned.steps.length > 0 || times.length === 0 ? 0 : Math.min(...times);
    this.world.now = Math.max(this.world.now + 1, next);
    return planned;
  }

  settle(): void {
    for (let round = 0; round < 100; round++) {
      const { steps, waits } = this.look();
      if (steps.length + waits.length === 0) return;
    }
  }

  #check(step: Step): void {
    const { desired, now } = this.world;
    if (step.do === 'createSandbox') {
      const before = (desired ?? []).slice(0, ordinal(step.pod.name)).map(({ name }) => name);
      assert(
        before.every((name) => this.#isUp(name, now)),
        'a new pod comes when those before it have been up for a second',
      );
    }
    if (step.do !== 'removeSandbox') return;
    const after = this.world.pods.filter(({ name }) => ordinal(name) > ordinal(step.pod.name));
    const wanted = (desired ?? []).map(({ name }) => name);
    if (wanted.includes(step.pod.name)) return;
    assert.deepEqual(after, [], 'the last pod goes first');
  }

  #isUp(name: string, now: number): boolean {
    const found = this.world.pods.filter((pod) => pod.name === name);
    const containers = found.flatMap((pod) => pod.containers);
    return (
      containers.length > 0 &&
      containers.every(({ state, startedAt = 0 }) => state === 'running' && startedAt + 1000 <= now)
    );
  }
}

function ordinal(name: string): number {
  return Number(name.split('-').at(-1));
}

type Event = { readonly version: Version | undefined; readonly looks: number; readonly crash: number | undefined };

const event: fc.Arbitrary<Event> = fc.record({
  version: fc.option(version, { nil: undefined }),
  looks: fc.nat(6),
  crash: fc.option(fc.nat(9), { nil: undefined }),
});

/** Whatever is declared and whatever crashes in between: the order holds, and in the end all is as declared. */
function keepsOrder(planner: Planner): void {
  const property = fc.property(fc.array(event, { maxLength: 12 }), fc.option(version), (events, last) => {
    const scene = new OrderedWorld(planner);
    for (const one of events) {
      scene.world.declare(one.version === undefined ? undefined : pods(one.version));
      for (let round = 0; round < one.looks; round++) scene.look();
      if (one.crash !== undefined) scene.world.crash(one.crash, 1);
    }
    const wanted = last === null ? [] : pods(last);
    scene.world.declare(last === null ? undefined : wanted);
    scene.settle();
    const actual = scene.world.pods
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map(({ name, uid, containers }) => [name, uid, containers[0]?.hash]);
    assert.deepEqual(
      actual,
      wanted.map(({ name, uid, containers }) => [name, uid, containers[0]?.hash]),
      'goal: what runs is what is declared',
    );
  });
  fc.assert(property, { numRuns: 200 });
}

/** An update begins with the last pod, and takes down one at a time. */
function updatesFromTheLast(planner: Planner): void {
  const scene = new OrderedWorld(planner);
  scene.world.declare(pods({ replicas: 3, tag: 1, host: false }));
  scene.settle();
  scene.world.now += 60_000;
  scene.world.declare(pods({ replicas: 3, tag: 2, host: false }));
  const updated: string[] = [];
  for (let round = 0; round < 40; round++) {
    const { steps } = scene.look();
    const until = steps.findIndex((step) => step.do === 'lookAgain');
    for (const step of until === -1 ? steps : steps.slice(0, until)) {
      if (step.do === 'startContainer') updated.push(step.pod.name);
    }
    assert(scene.world.servingCount() >= 2, 'one pod at a time');
  }
  assert.deepEqual(updated, ['web-2', 'web-1', 'web-0']);
}

function check(planner: Planner): void {
  keepsOrder(planner);
  updatesFromTheLast(planner);
}

test('pods come from the first, go from the last, and end up as declared', (t) => {
  t.notThrows(() => keepsOrder(plan));
});

test('an update begins with the last pod and takes down one at a time', (t) => {
  t.notThrows(() => updatesFromTheLast(plan));
});

const MUTANTS: Readonly<Record<string, Planner>> = {
  'knows no order': (situation) => plan({ ...situation, isOrdered: false }),
  'starts all at once': (situation) => withoutLooks(plan(situation)),
  'does not wait until a pod is up': (situation) => plan({ ...situation, now: situation.now + 10_000 }),
  'removes pods from the first': (situation) =>
    plan({ ...situation, workload: { ...ID, kind: 'Deployment' }, actual: renamedOwner(situation) }),
  'does nothing': () => ({ steps: [], waits: [] }),
};

for (const [name, mutant] of Object.entries(MUTANTS)) {
  test(`the properties of order notice a planner that ${name}`, (t) => {
    t.throws(() => check(mutant));
  });
}

function withoutLooks({ steps, waits }: Plan): Plan {
  return { steps: steps.filter((step) => step.do !== 'lookAgain'), waits };
}

/** The order in which pods are found is not that of their ordinals. */
function renamedOwner({ actual }: Situation): Situation['actual'] {
  return actual.map((pod) => ({ ...pod, workload: { ...ID, kind: 'Deployment' as const } })).toReversed();
}
