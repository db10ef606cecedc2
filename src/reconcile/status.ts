// Conditions of a workload, in the form of Kubernetes. Pure: what is observed and what was decided, nothing else.
import type { ActualPod, DesiredPod } from './effects.ts';
import type { Failure } from './failure.ts';
import { isInitialized, isOver } from './pod-order.ts';
import { isFinished } from './restart.ts';
import { outcomeOf, type Run } from './run-record.ts';
import type { Plan, Situation, Wait } from './situation.ts';

export type ConditionType = 'Ready' | 'ImagesPulled' | 'Progressing' | 'Stalled';

export type Condition = {
  readonly type: ConditionType;
  readonly status: 'True' | 'False';
  /** One word in CamelCase: stable, for programs. */
  readonly reason: string;
  readonly message: string;
  /** RFC 3339. When `status` last changed. */
  readonly lastTransitionTime: string;
};

type Finding = Pick<Condition, 'status' | 'reason' | 'message'>;

export type StatusInput = {
  readonly situation: Situation;
  readonly plan: Plan;
  /** The newest manifest cannot be acted on yet: its images are not resolved. */
  readonly pending: Pending | undefined;
  readonly previous: readonly Condition[];
};

export type Pending = {
  /** Why the last try did not succeed; undefined before it. */
  readonly failure: Failure | undefined;
  /** When the next try begins. Undefined: one is under way and tells when it ends, or there will be none. */
  readonly retryAt: number | undefined;
};

/** All four conditions, `lastTransitionTime` carried over from `previous` where the status is the same. */
export function conditionsOf(input: StatusInput): Condition[] {
  const time = new Date(input.situation.now).toISOString();
  const findings: Readonly<Record<ConditionType, Finding>> = {
    Ready: ready(input),
    ImagesPulled: imagesPulled(input),
    Progressing: progressing(input),
    Stalled: stalled(input),
  };
  return (Object.keys(findings) as ConditionType[]).map((type) => {
    const finding = findings[type];
    const before = input.previous.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === finding.status ? before.lastTransitionTime : time;
    return { type, ...finding, lastTransitionTime };
  });
}

/** Whether two lists of conditions differ in a status or a reason: what is worth a log line. */
export function conditionsChanged(before: readonly Condition[], after: readonly Condition[]): boolean {
  const text = (conditions: readonly Condition[]) =>
    conditions.map(({ type, status, reason }) => [type, status, reason]);
  return JSON.stringify(text(before)) !== JSON.stringify(text(after));
}

function ready({ situation, plan, pending }: StatusInput): Finding {
  const { desired } = situation;
  if (desired === undefined && pending !== undefined) return no('Progressing', 'its images are not known yet');
  if (desired === undefined) return no('Removing', 'it is no longer declared');
  const run = situation.run?.spec === undefined ? undefined : runReady(situation.run, plan);
  if (run !== undefined) return run;
  const unready = desired.filter((pod) => !isUp(pod, situation.actual));
  const [wait] = plan.waits;
  if (unready.length === 0 && pending === undefined && plan.steps.length === 0 && wait === undefined) {
    return yes('Running', `${desired.length} of ${desired.length} pods run as declared`);
  }
  const count = `${desired.length - unready.length} of ${desired.length} pods run as declared`;
  if (wait !== undefined) return no(wait.reason, `${count}; ${wait.subject}: ${wait.why}`);
  const settled = plan.steps.length === 0 && pending === undefined;
  return settled ? no('Failed', `${count}, and the restart policy lets the others rest`) : no('Progressing', count);
}

/** Of a Job, and of a Pod that has come to its end: being ready is having done its work. */
function runReady(run: Run, { waits }: Plan): Finding | undefined {
  const outcome = outcomeOf(run);
  if (outcome?.result === 'Complete') return yes(outcome.reason, outcome.message);
  if (outcome !== undefined) return no(outcome.reason, outcome.message);
  if (run.spec === 'Pod') return undefined;
  const [wait] = waits;
  return wait === undefined ? no('Progressing', 'it begins') : no(wait.reason, waitText(wait));
}

/** Every container of the pod has the declared hash and runs, or has ended well for good. */
function isUp(pod: DesiredPod, actual: readonly ActualPod[]): boolean {
  const found = actual.find((candidate) => candidate.uid === pod.uid && candidate.sandbox === 'ready');
  return pod.containers.every(({ name, hash, spec: { role } }) => {
    const container = found?.containers.find((candidate) => candidate.name === name && candidate.hash === hash);
    if (role === 'init' && isInitialized(found)) return true;
    if (container === undefined) return false;
    if (container.state === 'running') return role !== 'init' && container.health?.isReady !== false;
    if (role === 'sidecar') return isOver(pod, found);
    return isFinished(container, pod.spec.restartPolicy) && container.exitCode === 0;
  });
}

function imagesPulled({ situation, plan, pending }: StatusInput): Finding {
  if (pending !== undefined) {
    const { failure } = pending;
    return failure === undefined
      ? no('Resolving', 'asking which image the reference stands for')
      : no('ImageUnresolved', failure.message);
  }
  const held = plan.waits.find((wait) => wait.reason === 'ImagePullBackOff');
  if (held !== undefined) return no('ImagePullBackOff', `${held.subject}: ${held.why}`);
  const isDone = situation.run?.spec !== undefined && outcomeOf(situation.run) !== undefined;
  if (isDone) return yes('NotNeeded', 'it has come to its end');
  const images = (situation.desired ?? []).flatMap((pod) => pod.containers.map((container) => container.image));
  const missing = images.find(({ digest }) => situation.images.get(digest)?.state !== 'present');
  if (missing === undefined) return yes('ImagesPresent', 'every image is on this machine');
  return no('Pulling', missing.reference);
}

/** Something ends or answers by itself, and is heard of. */
const EVENTFUL: ReadonlySet<string> = new Set([
  'Initializing',
  'AwaitingReadiness',
  'AwaitingCompletion',
  'AwaitingTurn',
]);

/** Nothing more is to come, but time. */
const SETTLED: ReadonlySet<string> = new Set(['AwaitingCleanup', 'Suspended']);

function progressing({ plan, pending }: StatusInput): Finding {
  const [step] = plan.steps;
  if (step !== undefined) return yes('Working', `${step.do}: ${step.why}`);
  if (pending !== undefined && pending.failure?.retryAt === undefined && pending.failure !== undefined) {
    return no('Stalled', pending.failure.message);
  }
  if (pending !== undefined) return yes('Resolving', 'the image references are being resolved');
  const waits = plan.waits.filter(({ reason }) => !SETTLED.has(reason));
  const wait = waits.find(({ until, reason }) => until !== undefined || EVENTFUL.has(reason));
  return wait === undefined ? no('Settled', 'nothing is left to do') : yes(wait.reason, waitText(wait));
}

function stalled({ situation, plan, pending }: StatusInput): Finding {
  const failure = pending?.failure;
  const outcome = situation.run?.spec === undefined ? undefined : outcomeOf(situation.run);
  if (outcome?.result === 'Failed') return yes(outcome.reason, outcome.message);
  if (failure?.class === 'stalled') return yes('ImageUnresolved', failure.message);
  const wait = plan.waits.find(
    ({ until, reason }) =>
      until === undefined && !EVENTFUL.has(reason) && !SETTLED.has(reason) && reason !== 'NotReady',
  );
  return wait === undefined ? no('NotStalled', 'nothing waits for a change') : yes(wait.reason, waitText(wait));
}

function waitText({ subject, why }: Wait): string {
  return `${subject}: ${why}`;
}

function yes(reason: string, message: string): Finding {
  return { status: 'True', reason, message };
}

function no(reason: string, message: string): Finding {
  return { status: 'False', reason, message };
}
