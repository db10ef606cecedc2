// Steps that failed: what they are known by, and which other steps they stand in the way of.
import { backoffMs } from './backoff.ts';
import { classify, type ErrorClass } from './classify.ts';
import type { Step } from './effects.ts';

export type Failure = {
  /** In a row, from 1. */
  readonly attempt: number;
  /** Not before this moment, in milliseconds since the epoch. Undefined: not until the manifest changes. */
  readonly retryAt: number | undefined;
  readonly class: ErrorClass;
  readonly code: string | undefined;
  readonly message: string;
};

/** The next failure in a row. `previous` is the one before it for the same thing, if any. */
export function failureOf(error: unknown, previous: Failure | undefined, now: number): Failure {
  const attempt = (previous?.attempt ?? 0) + 1;
  const errorClass = classify(error);
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  const retryAt = errorClass === 'stalled' ? undefined : now + (errorClass === 'wait' ? WAIT_MS : backoffMs(attempt));
  return { attempt, retryAt, class: errorClass, code, message };
}

/** What a failure is remembered by: another spec is another key, so a new revision is tried at once. */
export function failureKey(step: Step): string {
  const { pod, container } = subjectOf(step);
  return `${step.do} ${pod}${container === undefined ? '' : `/${container}`}@${hashOf(step)}`;
}

/** Whether a failure forbids another try at `now`. */
export function isHeld(failure: Failure | undefined, now: number): failure is Failure {
  return failure !== undefined && (failure.retryAt === undefined || failure.retryAt > now);
}

export type Subject = { readonly pod: string; readonly container: string | undefined };

/** Which pod and container a step is about. A step about no single container is about the whole pod. */
export function subjectOf(step: Step): Subject {
  if (step.do === 'recordRun') return { pod: step.workload.name, container: undefined };
  const container = 'container' in step ? step.container.name : undefined;
  return { pod: step.pod.name, container };
}

/** Whether `later` must not be done because `earlier`, before it in the plan, was not. */
export function standsInTheWay(earlier: Step, later: Step): boolean {
  if (later.do === 'pullImage') return false;
  if (earlier.do === 'recordRun') return true;
  if (later.do === 'lookAgain' || earlier.do === 'lookAgain' || earlier.do === 'pullImage') return true;
  const one = subjectOf(earlier);
  const other = subjectOf(later);
  if (one.pod !== other.pod) return false;
  if (comesFirst(earlier) && later.do === 'startContainer') return true;
  return one.container === undefined || other.container === undefined || one.container === other.container;
}

/** The start of an init container or a sidecar: what is started after it in one plan needs it. */
function comesFirst(step: Step): boolean {
  return step.do === 'startContainer' && step.container.spec.role !== 'main';
}

/** Waiting for a person or another machine: asking more often changes nothing. */
const WAIT_MS = 300_000;

function hashOf(step: Step): string {
  if (step.do === 'recordRun') return step.record?.key ?? '';
  if (step.do === 'pullImage') return step.image.digest;
  return 'container' in step ? step.container.hash : step.pod.hash;
}
