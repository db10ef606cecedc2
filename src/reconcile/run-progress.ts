// What has become of the pods of a run since it was recorded. Pure.
import type { JobSpec } from '../spec/model.ts';
import type { ActualContainer, ActualPod, DesiredPod } from './effects.ts';
import { isOver } from './pod-order.ts';
import { isFinished } from './restart.ts';
import type { RunOutcome, RunRecord, RunSpec } from './run-record.ts';

export type ProgressInput = {
  readonly spec: RunSpec;
  readonly record: RunRecord;
  readonly desired: readonly DesiredPod[];
  /** The workload's own pods. */
  readonly own: readonly ActualPod[];
  readonly now: number;
};

/** The record with what is observed now. A failure counts once, however often it is seen. */
export function progress(input: ProgressInput): RunRecord {
  const { spec, desired, own, now } = input;
  const record = input.record.outcome?.result === 'Complete' ? reopened(input) : input.record;
  if (record.outcome !== undefined) return record;
  const open = desired.filter(({ name }) => !record.done.includes(name));
  const ended = open.filter((pod) => hasEndedWell(pod, podOf(pod, own))).map(({ name }) => name);
  const isCounting = spec !== 'Pod' && !spec.suspend;
  const failed = isCounting ? open.flatMap((pod) => newFailures(pod, podOf(pod, own), record.counted)) : [];
  const ids = new Set(own.flatMap(({ containers }) => containers.map(({ id }) => id)));
  const next: RunRecord = {
    ...record,
    done: [...record.done, ...ended],
    failures: record.failures + failed.length,
    lastFailureAt: failed.length > 0 ? now : record.lastFailureAt,
    counted: [...record.counted.filter((id) => ids.has(id)), ...failed.flat()],
  };
  return { ...next, outcome: spec === 'Pod' ? podOutcome(next, input) : jobOutcome(next, spec, input) };
}

/** More completions than there were: the others are done as well. */
function reopened({ record, desired }: ProgressInput): RunRecord {
  return desired.every(({ name }) => record.done.includes(name)) ? record : { ...record, outcome: undefined };
}

/** The incarnation of a pod that can hold its containers. */
export function podOf(pod: DesiredPod, own: readonly ActualPod[]): ActualPod | undefined {
  return own.find(({ uid, sandbox }) => uid === pod.uid && sandbox === 'ready');
}

/** The containers that have failed for this attempt at the pod. */
export function failedContainers(pod: DesiredPod, current: ActualPod | undefined): ActualContainer[] {
  const hashes = new Set(pod.containers.map(({ hash }) => hash));
  const failed = (current?.containers ?? []).filter(
    ({ role, state, exitCode, hash }) => role !== 'sidecar' && state === 'exited' && exitCode !== 0 && hashes.has(hash),
  );
  if (pod.spec.restartPolicy !== 'Never') return failed;
  const isAttemptOver = isOver(pod, current) || failed.some(({ role }) => role === 'init');
  return isAttemptOver ? failed : [];
}

function hasEndedWell(pod: DesiredPod, current: ActualPod | undefined): boolean {
  return isOver(pod, current) && failedContainers(pod, current).length === 0;
}

/** Each failure as the ids of its containers: with `Never` a pod fails as a whole, with `OnFailure` each container alone. */
function newFailures(pod: DesiredPod, current: ActualPod | undefined, counted: readonly string[]): string[][] {
  const ids = failedContainers(pod, current).map(({ id }) => id);
  const fresh = ids.filter((id) => !counted.includes(id));
  if (fresh.length === 0) return [];
  return pod.spec.restartPolicy === 'Never' ? [ids] : fresh.map((id) => [id]);
}

function podOutcome({ done }: RunRecord, { desired, own, now }: ProgressInput): RunOutcome | undefined {
  if (desired.every(({ name }) => done.includes(name))) return completed(desired.length, now);
  const failed = desired.flatMap((pod) => {
    const current = podOf(pod, own);
    return failedContainers(pod, current).filter((one) => isFinished(one, pod.spec.restartPolicy));
  });
  const [first] = failed;
  if (first === undefined) return undefined;
  const message = `${first.name} ended with ${exitText(first)}, and the restart policy lets it rest`;
  return { result: 'Failed', reason: 'PodFailed', message, at: now };
}

function jobOutcome(record: RunRecord, spec: JobSpec, { desired, now }: ProgressInput): RunOutcome | undefined {
  if (desired.every(({ name }) => record.done.includes(name))) return completed(desired.length, now);
  if (record.failures > spec.backoffLimit) {
    const message = `${times(record.failures, 'failure')}, and backoffLimit is ${spec.backoffLimit}`;
    return { result: 'Failed', reason: 'BackoffLimitExceeded', message, at: now };
  }
  const deadline = deadlineOf(record, spec, now);
  if (spec.suspend || deadline === undefined || deadline > now) return undefined;
  const message = `not done ${times(spec.activeDeadlineSeconds ?? 0, 'second')} after its start`;
  return { result: 'Failed', reason: 'DeadlineExceeded', message, at: now };
}

/** When a Job that still runs has failed, in milliseconds since the epoch. A clock that was set back makes it no later. */
export function deadlineOf({ startedAt }: RunRecord, spec: JobSpec, now: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined) return undefined;
  return Math.min(startedAt ?? now, now) + spec.activeDeadlineSeconds * 1000;
}

function completed(pods: number, at: number): RunOutcome {
  return { result: 'Complete', reason: 'Completed', message: `${pods} of ${times(pods, 'pod')} ended well`, at };
}

/** How a container ended, in words. */
export function exitText({ exitCode }: Pick<ActualContainer, 'exitCode'>): string {
  return exitCode === undefined ? 'an unknown exit code' : `exit code ${exitCode}`;
}

function times(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
