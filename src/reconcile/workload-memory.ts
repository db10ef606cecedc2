// What the loop remembers of a workload between two looks. Lost with the agent, and nothing depends on it then.
import type { DesiredPod } from './effects.ts';
import type { Failure } from './failure.ts';
import type { Condition } from './status.ts';

export type WorkloadMemory = {
  /** The newest pods whose images were all here at one time: what is kept alive meanwhile. */
  serving: readonly DesiredPod[] | undefined;
  /** By `failureKey`. */
  readonly failures: Map<string, Failure>;
  conditions: readonly Condition[];
  /** The steps of the last look, and how often the same ones were carried out in a row since. */
  lastSteps: string;
  repeats: number;
  /** The machine could not be observed. */
  lookFailure: Failure | undefined;
  timer: Disposable | undefined;
  /** When the timer will look. */
  nextLook: number | undefined;
};

/** A fresh memory. `serving` is what an earlier run of the agent kept alive, if that is known. */
export function emptyMemory(serving: readonly DesiredPod[] | undefined): WorkloadMemory {
  return {
    serving,
    failures: new Map(),
    conditions: [],
    lastSteps: '',
    repeats: 0,
    lookFailure: undefined,
    timer: undefined,
    nextLook: undefined,
  };
}
