// Everything that the planner may know about one workload, and what it answers. Plain data.
import type { ActualPod, DesiredPod, Step, WorkloadId } from './effects.ts';
import type { Failure } from './failure.ts';
import type { Run } from './run-record.ts';

export type Situation = {
  readonly workload: WorkloadId;
  /** The pods that shall be. Undefined: the workload is no longer declared. */
  readonly desired: readonly DesiredPod[] | undefined;
  /** The newest earlier pods whose images were all here: kept alive until those of `desired` are here as well. */
  readonly serving: readonly DesiredPod[] | undefined;
  /** The workload's pods on this machine, and pods of other workloads that bear a name in `desired`. */
  readonly actual: readonly ActualPod[];
  /** Absent for a workload that runs for ever, and ever did. */
  readonly run?: Run | undefined;
  /** The pods come, change and go one after the other. */
  readonly isOrdered?: boolean;
  /** By digest. A digest that is not in the map is absent. */
  readonly images: ReadonlyMap<string, ImageFact>;
  /** By `failureKey`: steps that failed and are not to be tried again yet. */
  readonly failures: ReadonlyMap<string, Failure>;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

export type ImageFact =
  | { readonly state: 'present' }
  | { readonly state: 'absent' }
  | { readonly state: 'pulling' }
  | { readonly state: 'failed'; readonly failure: Failure };

export type Plan = {
  readonly steps: readonly Step[];
  /** What keeps the workload from being settled though no step can be taken for it now. */
  readonly waits: readonly Wait[];
};

export type WaitReason =
  /** A container ended too often: it starts again after a pause. */
  | 'CrashLoopBackOff'
  /** An image could not be fetched: it is tried again after a pause, or when the manifest changes. */
  | 'ImagePullBackOff'
  /** A container runs, and its probes cannot say yet whether it is ready. */
  | 'AwaitingReadiness'
  /** A container runs, and its probes say that it is not ready. */
  | 'NotReady'
  /** A step failed: it is tried again after a pause, or when the manifest changes. */
  | 'StepFailed'
  /** An init container runs: the next ones start when it has ended. */
  | 'Initializing'
  /** The pods of a Job run: it goes on when one has ended, or fails at its deadline. */
  | 'AwaitingCompletion'
  /** A Job is over: what is left of its pods goes later. */
  | 'AwaitingCleanup'
  /** The manifest says that nothing of the Job is to run now. */
  | 'Suspended'
  /** A pod of another workload still bears the name. */
  | 'NameTaken'
  /** A pod of a StatefulSet comes when those before it are up. */
  | 'AwaitingTurn'
  /** The next replica is only replaced when the replaced ones keep running. */
  | 'RolloutPaused';

export type Wait = {
  /** A pod, or `pod/container`. */
  readonly subject: string;
  readonly reason: WaitReason;
  /** When to look again, in milliseconds since the epoch. Undefined: when something changes. */
  readonly until: number | undefined;
  readonly why: string;
};

/** A container runs, and only its probes are not content. */
export function isAboutReadiness(reason: WaitReason): boolean {
  return reason === 'AwaitingReadiness' || reason === 'NotReady';
}

/** When a timer must look at the workload again; `undefined` when only a change matters. */
export function nextLook({ waits }: Plan): number | undefined {
  const times = waits.flatMap((wait) => (wait.until === undefined ? [] : [wait.until]));
  return times.length === 0 ? undefined : Math.min(...times);
}
