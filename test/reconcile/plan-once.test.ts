import test from 'ava';

import { formatPlans, hasSteps } from '../../src/reconcile/format-plan.ts';
import { planOnce } from '../../src/reconcile/plan-once.ts';
import type { Desired } from '../../src/spec/model.ts';
import { web } from './agent-on-fake-machine.ts';
import { FakeMachine } from './fake-machine.ts';
import { ManualClock } from './manual-clock.ts';
import { podsOf, runningPod, sampleDesired } from './sample-workload.ts';

const clock = new ManualClock();

function machineThatRuns(...tags: readonly string[]): FakeMachine {
  const machine = new FakeMachine(clock);
  for (const tag of tags) {
    const [pod] = podsOf(web(tag, { name: `run-${tag}` }));
    if (pod !== undefined) machine.pods_.push({ ...runningPod(pod), containers: [...runningPod(pod).containers] });
    machine.images.add(`sha256:example.test/web:${tag}`);
  }
  return machine;
}

function planFor(machine: FakeMachine, desired: Desired, prune = true) {
  const { signal } = new AbortController();
  return planOnce({ desired, observer: machine, images: machine, now: clock.now(), prune, signal });
}

test('a machine that is as declared has nothing to do', async (t) => {
  const plans = await planFor(machineThatRuns('1'), sampleDesired(web('1', { name: 'run-1' })));
  t.false(hasSteps(plans));
  t.is(formatPlans(plans), 'Workloads: 0 to change, 0 waiting, 1 settled\n');
});

test('what would change is planned, and nothing is done', async (t) => {
  const machine = machineThatRuns('1', '2');
  const plans = await planFor(machine, sampleDesired(web('3', { name: 'run-1' })));
  t.deepEqual(
    plans.map(({ workload, plan }) => [workload.name, ...plan.steps.map((step) => step.do)]),
    [
      ['run-1', 'pullImage', 'stopContainer', 'removeContainer', 'startContainer'],
      ['run-2', 'stopContainer', 'removeContainer', 'removeSandbox'],
    ],
  );
  t.deepEqual(machine.log, []);
  t.is(machine.running().length, 2);
});

test('without prune what is not declared stays', async (t) => {
  const plans = await planFor(machineThatRuns('1', '2'), sampleDesired(web('1', { name: 'run-1' })), false);
  t.deepEqual(
    plans.map(({ workload }) => workload.name),
    ['run-1'],
  );
});

test('an image that cannot be resolved is the problem of its workload', async (t) => {
  const machine = machineThatRuns('1');
  machine.unresolvable.set('example.test/web:9', new Error('no such tag'));
  const plans = await planFor(machine, sampleDesired(web('9', { name: 'bad' }), web('1', { name: 'run-1' })));
  t.deepEqual(
    plans.map(({ problem }) => problem),
    ['no such tag', undefined],
  );
  t.regex(formatPlans(plans), /keep {2}the present version {2}no such tag/);
});
