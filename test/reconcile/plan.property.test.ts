import assert from 'node:assert';

import test from 'ava';
import * as fc from 'fast-check';

import { backoffMs } from '../../src/reconcile/backoff.ts';
import type { DesiredPod, Step } from '../../src/reconcile/effects.ts';
import { subjectOf } from '../../src/reconcile/failure.ts';
import { plan } from '../../src/reconcile/plan.ts';
import type { Plan, Situation } from '../../src/reconcile/situation.ts';
import { ModelWorld, type Planner } from './model-world.ts';
import { digestOf, podsOf, sampleContainer, samplePod, sampleWorkload } from './sample-workload.ts';

const WEB = { kind: 'Deployment', namespace: 'default', name: 'web' } as const;
const ROUNDS = 150;

type Version = {
  readonly replicas: number;
  readonly names: readonly string[];
  readonly tag: number;
  readonly host: boolean;
  /** What starts before the others. */
  readonly first: readonly ('init' | 'sidecar')[];
};

const version: fc.Arbitrary<Version> = fc.record({
  replicas: fc.integer({ min: 0, max: 4 }),
  names: fc.uniqueArray(fc.constantFrom('main', 'side', 'log'), { minLength: 1 }),
  tag: fc.integer({ min: 1, max: 3 }),
  host: fc.boolean(),
  first: fc.uniqueArray(fc.constantFrom('init', 'sidecar')),
});

function podsOfVersion({ replicas, names, tag, host, first }: Version): DesiredPod[] {
  // `side` keeps its image and its template: no change of version may touch it in a pod that stays.
  const containers = names.map((name) =>
    sampleContainer({ name, image: name === 'side' ? 'example.test/side:1' : `example.test/${name}:${tag}` }),
  );
  const before = first.map((role) => sampleContainer({ name: role, role, image: `example.test/${role}:1` }));
  const pod = samplePod({ containers: [...before, ...containers], hostNetwork: host });
  return podsOf(sampleWorkload({ ...WEB, replicas, pod }));
}

type Chaos =
  | { readonly do: 'declare'; readonly version: Version }
  | { readonly do: 'withdraw' }
  | { readonly do: 'round' }
  | { readonly do: 'crash'; readonly index: number; readonly exitCode: number }
  | { readonly do: 'breakSandbox'; readonly index: number }
  | { readonly do: 'loseImage'; readonly tag: number }
  | { readonly do: 'cutNetwork'; readonly tag: number }
  | { readonly do: 'failStart' }
  | { readonly do: 'wait'; readonly ms: number };

const chaos: fc.Arbitrary<Chaos> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('declare' as const), version }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('round' as const) }) },
  fc.record({ do: fc.constant('withdraw' as const) }),
  fc.record({ do: fc.constant('crash' as const), index: fc.nat(9), exitCode: fc.nat(2) }),
  fc.record({ do: fc.constant('breakSandbox' as const), index: fc.nat(9) }),
  fc.record({ do: fc.constant('loseImage' as const), tag: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('cutNetwork' as const), tag: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('failStart' as const) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(700_000) }),
);

function disturb(world: ModelWorld, event: Chaos, planner: Planner): void {
  switch (event.do) {
    case 'declare':
      return world.declare(podsOfVersion(event.version));
    case 'withdraw':
      return world.declare(undefined);
    case 'round':
      world.round(planner);
      return;
    case 'crash':
      return world.crash(event.index, event.exitCode);
    case 'breakSandbox': {
      const pod = world.pods[event.index % Math.max(1, world.pods.length)];
      if (pod !== undefined) pod.sandbox = 'broken';
      return;
    }
    case 'loseImage':
      world.images.delete(digestOf(`example.test/main:${event.tag}`));
      return;
    case 'cutNetwork':
      world.unreachable.add(digestOf(`example.test/main:${event.tag}`));
      return;
    case 'failStart':
      world.failingStarts = 1;
      return;
    case 'wait':
      world.now += event.ms;
  }
}

/** Rounds until the planner has nothing to do or to wait for. */
function settle(world: ModelWorld, planner: Planner): void {
  for (let round = 0; round < ROUNDS; round++) {
    const { steps, waits } = world.round(planner);
    if (steps.length === 0 && waits.length === 0) return;
  }
}

function assertConverged(world: ModelWorld, target: Version | undefined): void {
  const wanted = target === undefined ? [] : podsOfVersion(target);
  const expected = wanted.map((pod) => [
    pod.name,
    pod.uid,
    'ready',
    pod.containers.map((c) => `${c.name} ${c.hash} ${c.spec.role === 'init' ? 'exited' : 'running'}`).sort(),
  ]);
  const actual = world.pods
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map((pod) => [pod.name, pod.uid, pod.sandbox, pod.containers.map((c) => `${c.name} ${c.hash} ${c.state}`).sort()]);
  assert.deepEqual(actual, expected, 'goal: what runs is what is declared');
}

/** Goal, rest and safety: the model refuses every illegal step, also amid trouble. */
function converges(planner: Planner): void {
  const property = fc.property(fc.array(chaos, { maxLength: 40, size: 'max' }), fc.option(version), (events, last) => {
    const world = new ModelWorld(WEB);
    for (const event of events) disturb(world, event, planner);
    world.unreachable.clear();
    world.failingStarts = 0;
    const target = last ?? undefined;
    world.declare(target === undefined ? undefined : podsOfVersion(target));
    settle(world, planner);
    assertConverged(world, target);
    assert.deepEqual(world.round(planner), { steps: [], waits: [] }, 'rest: a settled world plans nothing');
  });
  fc.assert(property, { numRuns: 300 });
}

/** An update takes down one replica at a time, and leaves alone what did not change. */
function keepsServing(planner: Planner): void {
  const property = fc.property(version, version, (first, second) => {
    const before = { ...first, replicas: Math.max(2, first.replicas) };
    const after = { ...second, replicas: before.replicas };
    const world = new ModelWorld(WEB);
    world.declare(podsOfVersion(before));
    settle(world, planner);
    world.now += 60_000;
    const bystanders = sideIds(world);
    world.fewestServing = Number.POSITIVE_INFINITY;
    world.declare(podsOfVersion(after));
    settle(world, planner);
    assertConverged(world, after);
    assert(world.fewestServing >= before.replicas - 1, `only ${world.fewestServing} of ${before.replicas} served`);
    const samePods = before.host === after.host && before.first.join() === after.first.join();
    if (samePods && after.names.includes('side')) {
      if (before.names.includes('side')) assert.deepEqual(sideIds(world), bystanders, 'only what changed restarts');
    }
  });
  fc.assert(property, { numRuns: 200 });
}

/** A version that ends as soon as it starts takes down one replica, not all; the version after it is rolled out. */
function haltsBadRollout(planner: Planner): void {
  const property = fc.property(fc.integer({ min: 2, max: 4 }), fc.boolean(), (replicas, host) => {
    const good: Version = { replicas, names: ['main', 'log'], tag: 1, host: false, first: [] };
    const world = new ModelWorld(WEB);
    world.declare(podsOfVersion(good));
    settle(world, planner);
    world.now += 60_000;
    const bad = podsOfVersion({ ...good, tag: 2, host });
    for (const { hash } of bad.flatMap((pod) => pod.containers)) world.endsAtOnce.add(hash);
    world.fewestServing = Number.POSITIVE_INFINITY;
    world.declare(bad);
    for (let round = 0; round < 40; round++) world.round(planner);
    assert.equal(world.fewestServing, replicas - 1, 'a bad version takes down one replica');
    world.declare(podsOfVersion({ ...good, tag: 3 }));
    settle(world, planner);
    assertConverged(world, { ...good, tag: 3 });
    assert.equal(world.fewestServing, replicas - 1, 'nor does the fix take down more');
  });
  fc.assert(property, { numRuns: 30 });
}

function sideIds(world: ModelWorld): string[] {
  const containers = world.pods.flatMap((pod) => pod.containers);
  return containers
    .filter((container) => container.name === 'side')
    .map((container) => container.id)
    .sort();
}

/** A container that ends again and again starts at growing intervals. */
function backsOff(planner: Planner): void {
  const world = new ModelWorld(WEB);
  world.declare(podsOfVersion({ replicas: 1, names: ['main'], tag: 1, host: false, first: [] }));
  settle(world, planner);
  for (let crash = 0; crash < 8; crash++) {
    world.now += 1;
    world.crash(0, 1);
    const ended = world.now;
    settle(world, planner);
    const [container] = world.pods.flatMap((pod) => pod.containers);
    assert.equal((container?.startedAt ?? 0) - ended, backoffMs(crash), `pause after ${crash + 1} ends`);
    assert.deepEqual(container?.history, { restarts: crash + 1, crashes: crash + 1 });
  }
}

function check(planner: Planner): void {
  converges(planner);
  keepsServing(planner);
  haltsBadRollout(planner);
  backsOff(planner);
}

test('the planner reaches the goal, rests there, and never takes an unsafe step', (t) => {
  t.notThrows(() => converges(plan));
});

test('an update takes down one replica at a time and restarts only what changed', (t) => {
  t.notThrows(() => keepsServing(plan));
});

test('a version that ends at once takes down one replica only', (t) => {
  t.notThrows(() => haltsBadRollout(plan));
});

test('a container that keeps ending starts at growing intervals', (t) => {
  t.notThrows(() => backsOff(plan));
});

// Each of these planners is wrong in one way; the properties above must notice every one of them.
const MUTANTS: Readonly<Record<string, Planner>> = {
  'does nothing': () => ({ steps: [], waits: [] }),
  'never starts an ended container again': editSteps((steps) => steps.filter((step) => !step.why.startsWith('ended'))),
  'never pulls': editSteps((steps) => steps.filter((step) => step.do !== 'pullImage')),
  'stops before it pulls': editSteps((steps) => steps.toSorted((a, b) => rank(a) - rank(b))),
  'never removes surplus replicas': editSteps((steps) => steps.filter((step) => !step.why.startsWith('more replicas'))),
  'never prunes': editSteps((steps) => steps.filter((step) => step.why !== 'no longer declared')),
  'starts everything twice': editSteps((steps) =>
    steps.flatMap((step): Step[] => (step.do === 'startContainer' ? [step, step] : [step])),
  ),
  'replaces every replica at once': editSteps((steps) => steps.filter((step) => step.do !== 'lookAgain')),
  'does not wait for a replaced replica': (situation) => plan({ ...situation, now: situation.now + 10_000 }),
  'knows no back-off': (situation) => plan({ ...situation, now: situation.now + 3_600_000 }),
  'forgets what it stops': editSteps((steps) => steps.filter((step) => step.do !== 'removeContainer')),
  'leaves sandboxes behind': editSteps((steps) => steps.filter((step) => step.do !== 'removeSandbox')),
  'restarts the whole pod for one container': wholePod,
  'does not wait for init containers': editSteps((steps) =>
    steps.filter((step) => step.do !== 'lookAgain' || !step.why.includes('init container')),
  ),
  'ignores a broken sandbox': (situation) =>
    plan({ ...situation, actual: situation.actual.map((pod) => ({ ...pod, sandbox: 'ready' })) }),
  'trusts that every image is here': (situation) => plan({ ...situation, images: new Map(everyImage(situation)) }),
};

for (const [name, mutant] of Object.entries(MUTANTS)) {
  test(`the properties notice a planner that ${name}`, (t) => {
    t.throws(() => check(mutant));
  });
}

function editSteps(edit: (steps: Step[]) => Step[]): Planner {
  return (situation) => {
    const { steps, waits }: Plan = plan(situation);
    return { steps: edit([...steps]), waits };
  };
}

function rank(step: Step): number {
  return step.do === 'stopContainer' ? 0 : 1;
}

function wholePod(situation: Situation): Plan {
  const { steps, waits } = plan(situation);
  const replaced = steps.find((step) => step.do === 'stopContainer' && step.why.endsWith('changed'));
  if (replaced === undefined) return { steps, waits };
  const actual = situation.actual.map((pod) => (pod.name === subjectOf(replaced).pod ? { ...pod, hash: 'x' } : pod));
  return plan({ ...situation, actual });
}

function everyImage({ desired }: Situation): [string, { state: 'present' }][] {
  const images = (desired ?? []).flatMap((pod) => pod.containers.map(({ image }) => image.digest));
  return images.map((digest) => [digest, { state: 'present' }]);
}
