import test from 'ava';

import { backoffMs, HEALTHY_RUN_MS } from '../../src/reconcile/backoff.ts';
import type { ActualContainer } from '../../src/reconcile/effects.ts';
import { isFinished, restartOf } from '../../src/reconcile/restart.ts';
import { podsOf, runningPod, sampleWorkload } from './sample-workload.ts';

function ended(change: Partial<ActualContainer>): ActualContainer {
  const [pod] = podsOf(sampleWorkload());
  const [container] = pod === undefined ? [] : runningPod(pod).containers;
  if (container === undefined) throw new Error('no container');
  return { ...container, state: 'exited', exitCode: 1, finishedAt: 5000, ...change };
}

test('the pause doubles from 10 s to 300 s', (t) => {
  t.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 7, 1e9].map(backoffMs),
    [0, 10, 20, 40, 80, 160, 300, 300, 300].map((s) => s * 1000),
  );
});

test('what may rest follows from the policy and the exit code', (t) => {
  t.false(isFinished(ended({ exitCode: 0 }), 'Always'));
  t.true(isFinished(ended({ exitCode: 0 }), 'OnFailure'));
  t.false(isFinished(ended({ exitCode: 1 }), 'OnFailure'));
  t.true(isFinished(ended({ exitCode: 1 }), 'Never'));
  t.false(isFinished(ended({ exitCode: undefined }), 'OnFailure'));
  t.false(isFinished(ended({ state: 'running', exitCode: undefined }), 'Never'));
});

test('the first end is answered at once, the next ones after a pause', (t) => {
  t.deepEqual(restartOf(ended({}), 6000), { at: 5000, history: { restarts: 1, crashes: 1 } });
  const again = restartOf(ended({ history: { restarts: 7, crashes: 2 } }), 6000);
  t.deepEqual(again, { at: 25_000, history: { restarts: 8, crashes: 3 } });
});

test('a long run makes the next end the first one again', (t) => {
  const container = ended({ startedAt: 0, finishedAt: HEALTHY_RUN_MS, history: { restarts: 7, crashes: 5 } });
  t.deepEqual(restartOf(container, HEALTHY_RUN_MS), { at: HEALTHY_RUN_MS, history: { restarts: 8, crashes: 1 } });
});

test('an end in the future delays no longer than the pause', (t) => {
  const container = ended({ startedAt: 1e12 - 1, finishedAt: 1e12, history: { restarts: 1, crashes: 1 } });
  t.is(restartOf(container, 1000).at, 11_000);
});
