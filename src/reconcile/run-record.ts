// What a workload that comes to an end has done so far: nothing that is done is done again, whatever becomes of the agent, the
// machine or the pods. Plain data.
import type { JobSpec, Workload } from '../spec/model.ts';

export type RunRecord = {
  /** By `runKey`: what is declared otherwise begins anew. */
  readonly key: string;
  /** Milliseconds since the epoch. Undefined: not yet, or suspended. */
  readonly startedAt?: number | undefined;
  /** Names of the pods that have ended well. */
  readonly done: readonly string[];
  readonly failures: number;
  /** Milliseconds since the epoch. */
  readonly lastFailureAt?: number | undefined;
  /** Containers on the machine whose failures are counted already. */
  readonly counted: readonly string[];
  readonly outcome?: RunOutcome | undefined;
};

export type RunOutcome = {
  readonly result: 'Complete' | 'Failed';
  /** One word for programs. */
  readonly reason: 'Completed' | 'PodFailed' | 'BackoffLimitExceeded' | 'DeadlineExceeded';
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
};

/** `Pod`: its restart policy alone says what is tried again. */
export type RunSpec = JobSpec | 'Pod';

/** The run of a workload: how it is declared, and how far it has come. */
export type Run = {
  /** Undefined: it does not come to an end (any more). */
  readonly spec: RunSpec | undefined;
  readonly key: string;
  readonly record: RunRecord | undefined;
};

/** How a workload comes to an end. Undefined: it runs for ever. */
export function runSpecOf({ job, kind, pod }: Workload): RunSpec | undefined {
  if (job !== undefined) return job;
  return kind === 'Pod' && pod.restartPolicy !== 'Always' ? 'Pod' : undefined;
}

/** A run of which nothing has happened yet. */
export function freshRecord(key: string): RunRecord {
  return { key, done: [], failures: 0, counted: [] };
}

/** The outcome of what is declared now. */
export function outcomeOf({ key, record }: Run): RunOutcome | undefined {
  return record?.key === key ? record.outcome : undefined;
}
