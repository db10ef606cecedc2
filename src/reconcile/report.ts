// What happened, as typed outcomes. The agent turns them into log lines, metrics and journal entries.
import type { StepKind, WorkloadId } from './effects.ts';
import type { Failure } from './failure.ts';
import type { SourceErrorCode } from './source.ts';
import type { Condition } from './status.ts';

/** What a step was about, without the objects it carried. */
export type StepSummary = {
  readonly step: StepKind;
  readonly pod: string;
  readonly container: string | undefined;
  readonly image: string | undefined;
  readonly why: string;
};

export type Report =
  /** A source was read and all of it is valid: it is what shall run from now on. */
  | {
      readonly event: 'revisionAccepted';
      readonly source: string;
      readonly revision: string;
      readonly workloads: number;
    }
  /** Invalid manifests, or a revision that would remove everything: what ran before goes on. */
  | {
      readonly event: 'revisionRefused';
      readonly source: string;
      readonly revision: string;
      readonly reason: RefusalReason;
      readonly errors: readonly Error[];
    }
  | { readonly event: 'sourceChecked'; readonly source: string; readonly revision: string }
  | {
      readonly event: 'sourceFailed';
      readonly source: string;
      readonly code: SourceErrorCode;
      readonly message: string;
    }
  | { readonly event: 'imageImported'; readonly source: string; readonly path: string }
  | { readonly event: 'imageImportFailed'; readonly source: string; readonly path: string; readonly message: string }
  | {
      readonly event: 'imageResolved';
      readonly workload: WorkloadId;
      readonly reference: string;
      readonly digest: string;
    }
  | { readonly event: 'imageUnresolved'; readonly workload: WorkloadId; readonly failure: Failure }
  | { readonly event: 'imagePulled'; readonly reference: string; readonly digest: string; readonly durationMs: number }
  | {
      readonly event: 'imagePullFailed';
      readonly reference: string;
      readonly digest: string;
      readonly failure: Failure;
    }
  | ({ readonly event: 'stepDone'; readonly workload: WorkloadId; readonly durationMs: number } & StepSummary)
  | ({ readonly event: 'stepFailed'; readonly workload: WorkloadId; readonly failure: Failure } & StepSummary)
  /** What the probes of a container add up to has changed. `unhealthy`: it is ended for it. */
  | {
      readonly event: 'healthChanged';
      readonly workload: WorkloadId;
      readonly pod: string;
      readonly container: string;
      readonly health: 'ready' | 'unready' | 'unhealthy';
      readonly message: string;
    }
  /** preStop could not be run to its end: the container is ended all the same. */
  | {
      readonly event: 'hookFailed';
      readonly workload: WorkloadId;
      readonly pod: string;
      readonly container: string;
      readonly message: string;
    }
  /** One pass over a workload ended. `result` is of the closed set that metrics use as a label. */
  | {
      readonly event: 'looked';
      readonly workload: WorkloadId;
      readonly result: LookResult;
      readonly steps: number;
      readonly durationMs: number;
      readonly conditions: readonly Condition[];
      /** Whether a condition's status or reason differs from the last look. */
      readonly changed: boolean;
    }
  /** Another workload has the name of one of its pods: it does not run. Reported when that becomes so. */
  | { readonly event: 'workloadConflict'; readonly workload: WorkloadId; readonly message: string }
  /** A workload is no longer declared, and nothing of it is left. */
  | { readonly event: 'workloadGone'; readonly workload: WorkloadId }
  /** The desired record cannot be read or written: the next boot may not know what to run. */
  | { readonly event: 'recordFailed'; readonly message: string }
  /** A mistake in berth itself, or a machine that cannot be observed. The workload is looked at again. */
  | { readonly event: 'lookFailed'; readonly workload: WorkloadId; readonly failure: Failure };

export type RefusalReason = 'Invalid' | 'PruneRefused' | 'Conflict';
export type LookResult = 'success' | 'retry' | 'wait' | 'stalled';
export type ReportFunction = (report: Report) => void;
