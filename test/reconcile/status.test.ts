import test from 'ava';

import { plan } from '../../src/reconcile/plan.ts';
import type { Situation } from '../../src/reconcile/situation.ts';
import { conditionsChanged, conditionsOf, type Condition, type Pending } from '../../src/reconcile/status.ts';
import { podsOf, runningPod, samplePod, sampleWorkload, withContainer } from './sample-workload.ts';

const NOW = Date.UTC(2026, 0, 1);

function situationOf(change: Partial<Situation>, workload = sampleWorkload()): Situation {
  const desired = podsOf(workload);
  const digests = desired.flatMap((pod) => pod.containers.map(({ image }) => image.digest));
  return {
    workload: { kind: 'Pod', namespace: 'default', name: 'web' },
    desired,
    serving: desired,
    actual: desired.map((pod) => runningPod(pod)),
    images: new Map(digests.map((digest) => [digest, { state: 'present' }])),
    failures: new Map(),
    now: NOW,
    ...change,
  };
}

function conditions(situation: Situation, pending?: Pending, previous: readonly Condition[] = []): Condition[] {
  return conditionsOf({ situation, plan: plan(situation), pending, previous });
}

function brief(all: readonly Condition[]): Record<string, string> {
  return Object.fromEntries(all.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

function time(all: readonly Condition[], type: string): string | undefined {
  return all.find((one) => one.type === type)?.lastTransitionTime;
}

test('a settled workload is ready', (t) => {
  t.deepEqual(brief(conditions(situationOf({}))), {
    Ready: 'True Running',
    ImagesPulled: 'True ImagesPresent',
    Progressing: 'False Settled',
    Stalled: 'False NotStalled',
  });
});

test('a missing image is being pulled', (t) => {
  const situation = situationOf({ images: new Map(), actual: [] });
  t.like(brief(conditions(situation)), {
    Ready: 'False Progressing',
    ImagesPulled: 'False Pulling',
    Progressing: 'True Working',
  });
});

test('an image that cannot be resolved stalls the workload though the old version runs', (t) => {
  const failure = { attempt: 1, retryAt: undefined, class: 'stalled', code: 'X', message: 'bad reference' } as const;
  const all = conditions(situationOf({}), { failure, retryAt: undefined });
  t.deepEqual(brief(all), {
    Ready: 'False Progressing',
    ImagesPulled: 'False ImageUnresolved',
    Progressing: 'False Stalled',
    Stalled: 'True ImageUnresolved',
  });
  t.true(all.every(({ message }) => message.length > 0));
});

test('a crash loop is named, with what happened', (t) => {
  const base = situationOf({});
  const [actual] = base.actual;
  if (actual === undefined) throw new Error('no pod');
  const crashed = withContainer(actual, 'main', {
    state: 'exited',
    exitCode: 2,
    finishedAt: NOW,
    startedAt: NOW,
    history: { restarts: 4, crashes: 4 },
  });
  const all = conditions({ ...base, actual: [crashed] });
  t.like(brief(all), {
    Ready: 'False CrashLoopBackOff',
    Progressing: 'True CrashLoopBackOff',
    Stalled: 'False NotStalled',
  });
  t.regex(all[0]?.message ?? '', /0 of 1 pods run as declared; web\/main: ended with exit code 2/);
});

test('a pod that ended well and may rest is ready, one that ended badly is not', (t) => {
  const base = situationOf({}, sampleWorkload({ pod: samplePod({ restartPolicy: 'Never' }) }));
  const [actual] = base.actual;
  if (actual === undefined) throw new Error('no pod');
  const ended = (exitCode: number) => withContainer(actual, 'main', { state: 'exited', exitCode, finishedAt: NOW });
  t.like(brief(conditions({ ...base, actual: [ended(0)] })), { Ready: 'True Running', Progressing: 'False Settled' });
  t.like(brief(conditions({ ...base, actual: [ended(1)] })), { Ready: 'False Failed', Progressing: 'False Settled' });
});

test('the time of a condition is that of its last change of status', (t) => {
  const first = conditions(situationOf({}));
  const later = conditions(situationOf({ now: NOW + 60_000, images: new Map(), actual: [] }), undefined, first);
  t.is(time(first, 'Ready'), '2026-01-01T00:00:00.000Z');
  t.is(time(later, 'Ready'), '2026-01-01T00:01:00.000Z');
  t.is(time(later, 'Stalled'), '2026-01-01T00:00:00.000Z');
  t.true(conditionsChanged(first, later));
  t.false(conditionsChanged(first, conditions(situationOf({ now: NOW + 1 }), undefined, first)));
});
