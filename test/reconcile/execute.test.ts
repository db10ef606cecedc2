import test from 'ava';

import type { ActualPod, Effects, Step } from '../../src/reconcile/effects.ts';
import { subjectOf } from '../../src/reconcile/failure.ts';
import { execute } from '../../src/reconcile/execute.ts';
import { dismantle } from '../../src/reconcile/plan-pod.ts';
import { podsOf, runningPod, sampleContainer, samplePod, sampleWorkload } from './sample-workload.ts';

const containers = ['a', 'b'].map((name) => sampleContainer({ name }));
const [pod, second] = podsOf(sampleWorkload({ kind: 'Deployment', replicas: 2, pod: samplePod({ containers }) }));
if (pod === undefined || second === undefined) throw new Error('no pods');

function starts(of = pod): Step[] {
  if (of === undefined) return [];
  const history = { restarts: 0, crashes: 0 };
  const sandbox: Step = { do: 'createSandbox', pod: of, why: '' };
  return [
    sandbox,
    ...of.containers.map((container): Step => ({ do: 'startContainer', pod: of, container, history, why: '' })),
  ];
}

type Run = { readonly log: string[]; readonly failed: string[] };

async function run(
  steps: readonly Step[],
  failing: readonly string[] = [],
  signal = new AbortController().signal,
): Promise<Run> {
  const log: string[] = [];
  const failed: string[] = [];
  const act = async (step: Step): Promise<void> => {
    const name = nameOf(step);
    log.push(`${name} begins`);
    await Promise.resolve();
    if (failing.includes(name)) throw new Error('no');
    log.push(`${name} ends`);
  };
  const effects: Effects = {
    pullImage: act,
    createSandbox: act,
    updateVolumes: act,
    startContainer: act,
    stopContainer: act,
    removeContainer: act,
    removeSandbox: act,
    recordRun: act,
  };
  await execute(steps, {
    effects,
    signal,
    beginPull: (step) => void log.push(`${nameOf(step)} begun`),
    onDone: () => {},
    onFailed: (step) => void failed.push(nameOf(step)),
  });
  return { log: log.filter((line) => !line.endsWith('begins')), failed };
}

function nameOf(step: Step): string {
  const { pod, container } = subjectOf(step);
  return container === undefined ? `${step.do} ${pod}` : `${step.do} ${pod}/${container}`;
}

async function none(): Promise<void> {}

function pull(reference: string): Step {
  if (pod === undefined) throw new Error('no pod');
  return { do: 'pullImage', pod, image: { reference, digest: reference }, why: '' };
}

test('steps are carried out in order', async (t) => {
  const { log } = await run(starts());
  t.deepEqual(log, ['createSandbox web-0 ends', 'startContainer web-0/a ends', 'startContainer web-0/b ends']);
});

test('a container that fails takes no other with it', async (t) => {
  const { log, failed } = await run([...starts(), ...starts(second)], ['startContainer web-0/a']);
  t.deepEqual(failed, ['startContainer web-0/a']);
  t.is(log.length, 5);
});

test('a sandbox that fails takes its containers with it, and no other pod', async (t) => {
  const { log, failed } = await run([...starts(), ...starts(second)], ['createSandbox web-0']);
  t.deepEqual(failed, ['createSandbox web-0']);
  t.deepEqual(log, ['createSandbox web-1 ends', 'startContainer web-1/a ends', 'startContainer web-1/b ends']);
});

test('a sandbox is not removed under a container that could not be stopped', async (t) => {
  const actual: ActualPod = runningPod(pod);
  const { log, failed } = await run(dismantle(actual, 'x'), ['stopContainer web-0/a']);
  t.deepEqual(failed, ['stopContainer web-0/a']);
  t.deepEqual(log, ['stopContainer web-0/b ends', 'removeContainer web-0/b ends']);
});

test('neighbouring stops run side by side', async (t) => {
  const order: string[] = [];
  const steps = dismantle(runningPod(pod), 'x').filter((step) => step.do === 'stopContainer');
  const both = Promise.withResolvers<void>();
  let waiting = 0;
  const stop = async (): Promise<void> => {
    order.push('begins');
    waiting += 1;
    if (waiting === 2) both.resolve();
    await both.promise;
  };
  await execute(steps, {
    effects: {
      pullImage: none,
      createSandbox: none,
      updateVolumes: none,
      startContainer: none,
      stopContainer: stop,
      removeContainer: none,
      removeSandbox: none,
      recordRun: none,
    },
    signal: new AbortController().signal,
    beginPull: () => {},
    onDone: () => {},
    onFailed: () => {},
  });
  t.deepEqual(order, ['begins', 'begins']);
});

test('what follows a look, or pulls, is left for another time', async (t) => {
  const look: Step = { do: 'lookAgain', pod: second, why: '' };
  t.is((await run([...starts(), look, ...starts(second)])).log.length, 3);
  const { log } = await run([pull('one'), pull('two'), ...starts()]);
  t.deepEqual(log, ['pullImage web-0 begun', 'pullImage web-0 begun']);
});

test('an abort ends it before the next step', async (t) => {
  const controller = new AbortController();
  controller.abort(new Error('stop'));
  await t.throwsAsync(run(starts(), [], controller.signal), { message: 'stop' });
});
