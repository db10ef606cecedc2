// What the planner makes of what probes say.
import test from 'ava';

import type { ActualPod } from '../../src/reconcile/effects.ts';
import { plan } from '../../src/reconcile/plan.ts';
import { healthOf, initialState, type ContainerHealth } from '../../src/reconcile/probe-state.ts';
import type { Situation } from '../../src/reconcile/situation.ts';
import { conditionsOf } from '../../src/reconcile/status.ts';
import type { ProbeSpec } from '../../src/spec/health.ts';
import type { Workload } from '../../src/spec/model.ts';
import { digestOf, podsOf, runningPod, sampleContainer, samplePod, sampleWorkload } from './sample-workload.ts';

const NOW = 1_000_000;

const PROBE: ProbeSpec = {
  action: { kind: 'tcpSocket', host: undefined, port: 80 },
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
  terminationGracePeriodSeconds: undefined,
};
const NONE = {
  startup: undefined,
  readiness: undefined,
  liveness: undefined,
  postStart: undefined,
  preStop: undefined,
};

const READY = healthOf({ readiness: { ...initialState('readiness'), verdict: 'success' } });
const UNREADY = healthOf({ readiness: { ...initialState('readiness'), verdict: 'failure', message: 'refused' } });
const PENDING = healthOf({ readiness: initialState('readiness') });
const FAILED = healthOf({ liveness: { ...initialState('liveness'), verdict: 'failure', message: 'refused' } });

function workload(graceSeconds: number | undefined, overrides: Partial<Workload> = {}): Workload {
  const liveness = { ...PROBE, terminationGracePeriodSeconds: graceSeconds };
  const container = sampleContainer({ health: { ...NONE, readiness: PROBE, liveness } });
  return sampleWorkload({ pod: samplePod({ containers: [container] }), ...overrides });
}

function withHealth(pod: ActualPod, health: ContainerHealth): ActualPod {
  return { ...pod, containers: pod.containers.map((container) => ({ ...container, health })) };
}

function situation(desired: Workload, actual: readonly ActualPod[]): Situation {
  const pods = podsOf(desired);
  return {
    workload: { kind: desired.kind, namespace: desired.namespace, name: desired.name },
    desired: pods,
    serving: pods,
    actual,
    images: new Map([[digestOf('example.test/web:1'), { state: 'present' }]]),
    failures: new Map(),
    now: NOW,
  };
}

function all(desired: Workload, health: ContainerHealth): ActualPod[] {
  return podsOf(desired).map((pod) => withHealth(runningPod(pod), health));
}

test('a container whose liveness has failed is ended with the grace of the probe, else of its pod', (t) => {
  for (const [grace, expected] of [
    [5, 5],
    [undefined, 30],
  ] as const) {
    const one = workload(grace);
    const { steps } = plan(situation(one, all(one, FAILED)));
    t.is(steps.length, 1);
    t.like(steps[0], { do: 'stopContainer', graceSeconds: expected, why: 'liveness probe failed: refused' });
  }
});

test('all replicas that have failed are ended at once: none of them serves', (t) => {
  const three = workload(1, { kind: 'Deployment', replicas: 3 });
  const { steps } = plan(situation(three, all(three, FAILED)));
  t.deepEqual(
    steps.map((step) => step.do),
    ['stopContainer', 'stopContainer', 'stopContainer'],
  );
});

test('nothing is done about a container that is not ready, and the workload says why', (t) => {
  const one = workload(1);
  const bad = situation(one, all(one, UNREADY));
  const planned = plan(bad);
  t.deepEqual(planned.steps, []);
  const conditions = conditionsOf({ situation: bad, plan: planned, pending: undefined, previous: [] });
  const found = Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
  t.deepEqual(found, {
    Ready: 'False NotReady',
    ImagesPulled: 'True ImagesPresent',
    Progressing: 'False Settled',
    Stalled: 'False NotStalled',
  });
  t.regex(conditions[0]?.message ?? '', /web\/main: readiness probe: refused/);
});

test('a workload whose probes have not answered is on its way', (t) => {
  const one = workload(1);
  const early = situation(one, all(one, PENDING));
  const conditions = conditionsOf({ situation: early, plan: plan(early), pending: undefined, previous: [] });
  t.like(conditions[0], { type: 'Ready', status: 'False', reason: 'AwaitingReadiness' });
  t.like(conditions[2], { type: 'Progressing', status: 'True', reason: 'AwaitingReadiness' });
  const late = situation(one, all(one, READY));
  const ready = conditionsOf({ situation: late, plan: plan(late), pending: undefined, previous: conditions });
  t.like(ready[0], { type: 'Ready', status: 'True' });
});

test('the next replica is replaced when the one before it is ready, not before', (t) => {
  const old = workload(1, { kind: 'Deployment', replicas: 2 });
  const pod = samplePod({ containers: [{ ...(old.pod.containers[0] ?? sampleContainer()), args: ['new'] }] });
  const desired = { ...old, pod };
  const [first, second] = [podsOf(desired)[0], podsOf(old)[1]];
  t.truthy(first && second);
  if (first === undefined || second === undefined) return;
  const serving = withHealth(runningPod(second), READY);
  for (const [health, steps] of [
    [PENDING, 0],
    [UNREADY, 0],
    [READY, 3],
  ] as const) {
    const planned = plan(situation(desired, [withHealth(runningPod(first), health), serving]));
    t.is(planned.steps.length, steps, JSON.stringify(health));
  }
});
