// Workloads that come to an end: which of their pods run now, which are tried again, and when all is over. Pure.
import type { JobSpec } from '../spec/model.ts';
import { backoffMs } from './backoff.ts';
import { shortDigest } from './canonical.ts';
import type { ActualPod, DesiredPod, Step } from './effects.ts';
import { isOver } from './pod-order.ts';
import { deadlineOf, exitText, failedContainers, podOf, progress } from './run-progress.ts';
import { freshRecord, type Run, type RunRecord } from './run-record.ts';
import type { Situation, Wait } from './situation.ts';

export type RunTurn = {
  /** What is kept before anything else is done. */
  readonly records: readonly Step<'recordRun'>[];
  /** Pods that are planned as any others. */
  readonly active: readonly DesiredPod[];
  /** Pods that are made anew or go, and why. */
  readonly discarded: readonly { readonly pod: ActualPod; readonly why: string }[];
  /** What ends, and stays to be looked at. */
  readonly stops: readonly Step[];
  readonly waits: readonly Wait[];
};

type Declared = Situation & { readonly desired: readonly DesiredPod[] };
type RunOf<Spec> = Run & { readonly spec: Spec };
type Turn = Omit<RunTurn, 'records'> & { readonly record: RunRecord };

const NOTHING = { active: [], discarded: [], stops: [], waits: [] };

/** What is to be done for a workload that comes to an end. `own`: its pods on this machine. */
export function runTurn(situation: Declared, run: RunOf<NonNullable<Run['spec']>>, own: readonly ActualPod[]): RunTurn {
  const { desired, now } = situation;
  const { spec, key } = run;
  const before = run.record?.key === key ? run.record : freshRecord(key);
  const record = progress({ spec, record: before, desired, own, now });
  const turn = spec === 'Pod' ? podTurn(record, desired, own) : jobTurn({ record, spec, desired, own, now });
  const why = whyRecorded(before, turn.record, desired.length);
  const isSame = shortDigest(turn.record) === shortDigest(run.record ?? freshRecord(key));
  const { workload } = situation;
  const step: Step<'recordRun'> = { do: 'recordRun', workload, record: turn.record, why };
  return { ...turn, records: isSame ? [] : [step] };
}

function whyRecorded(before: RunRecord, after: RunRecord, pods: number): string {
  if (after.outcome !== undefined && before.outcome === undefined) return after.outcome.message;
  if (after.failures > before.failures) return `${after.failures} failed so far`;
  if (after.done.length > before.done.length) return `${after.done.length} of ${pods} ended well`;
  return after.startedAt === undefined ? 'not started' : 'it begins';
}

/** A pod that has ended is not made again when it is gone; what is there of it keeps its order, such as sidecars that end. */
function podTurn(record: RunRecord, desired: readonly DesiredPod[], own: readonly ActualPod[]): Turn {
  const isDone = record.outcome !== undefined;
  const active = desired.filter((pod) => !isDone || podOf(pod, own) !== undefined);
  return { ...NOTHING, record, active };
}

type JobInput = {
  readonly record: RunRecord;
  readonly spec: JobSpec;
  readonly desired: readonly DesiredPod[];
  readonly own: readonly ActualPod[];
  readonly now: number;
};

function jobTurn(input: JobInput): Turn {
  const { record, spec, desired, own, now } = input;
  if (record.outcome !== undefined) return afterwards(record.outcome.at, input);
  const open = desired.filter(({ name }) => !record.done.includes(name));
  const openNames = new Set(open.map(({ name }) => name));
  const resting = ended(desired, own);
  const unfinished = own.filter(({ name }) => openNames.has(name));
  if (spec.suspend) {
    const discarded = unfinished.map((pod) => ({ pod, why: 'the Job is suspended' }));
    const wait: Wait = { subject: named(desired), reason: 'Suspended', until: undefined, why: 'the Job is suspended' };
    const suspended = { ...withoutBlame(record, unfinished), startedAt: undefined };
    return { ...NOTHING, record: suspended, active: resting, discarded, waits: [wait] };
  }
  const turns = chosen(open, own, spec.parallelism);
  const names = new Set(turns.map(({ name }) => name));
  const tooMany = unfinished.filter(({ name }) => !names.has(name));
  const surplus = tooMany.map((pod) => ({ pod, why: `only ${spec.parallelism} at a time` }));
  const attempts = turns.map((pod) => attempt(pod, input));
  const waits = attempts.flatMap(({ waits: some }) => some);
  const active = [...resting, ...attempts.flatMap((one) => one.active)];
  const discarded = [...surplus, ...attempts.flatMap((one) => one.discarded)];
  const begun = { ...withoutBlame(record, tooMany), startedAt: record.startedAt ?? now };
  const why = `${record.done.length} of ${desired.length} pods ended well`;
  const until = deadlineOf(begun, spec, now);
  const wait: Wait = { subject: named(desired), reason: 'AwaitingCompletion', until, why };
  return { record: begun, active, discarded, stops: [], waits: [...waits, wait] };
}

/** What is stopped for no fault of its own is no failure, also when the agent dies before all of it is gone. */
function withoutBlame(record: RunRecord, stopped: readonly ActualPod[]): RunRecord {
  const ids = stopped.flatMap(({ containers }) => containers.map(({ id }) => id));
  return { ...record, counted: [...record.counted, ...ids.filter((id) => !record.counted.includes(id))] };
}

/** Those that are begun already, then those of the lowest ordinals. */
function chosen(open: readonly DesiredPod[], own: readonly ActualPod[], parallelism: number): DesiredPod[] {
  const names = new Set(own.map(({ name }) => name));
  const begun = open.filter(({ name }) => names.has(name));
  const others = open.filter(({ name }) => !names.has(name));
  return [...begun, ...others].slice(0, parallelism);
}

/** With `Never` a pod that has failed is made anew after a pause; with `OnFailure` its containers start again in it. */
function attempt(pod: DesiredPod, { record, own, now }: JobInput): Pick<Turn, 'active' | 'discarded' | 'waits'> {
  const current = podOf(pod, own);
  const [failed] = failedContainers(pod, current);
  if (current === undefined || failed === undefined || pod.spec.restartPolicy !== 'Never')
    return { active: [pod], discarded: [], waits: [] };
  const why = `${failed.name} ended with ${exitText(failed)}`;
  const at = Math.min(record.lastFailureAt ?? now, now) + backoffMs(record.failures);
  if (at <= now) return { active: [pod], discarded: [{ pod: current, why }], waits: [] };
  return { active: [], discarded: [], waits: [{ subject: pod.name, reason: 'CrashLoopBackOff', until: at, why }] };
}

/** All is over: what still runs ends, and what is left goes when its time has come. */
function afterwards(at: number, { record, spec, desired, own, now }: JobInput): Turn {
  const ttl = spec.ttlSecondsAfterFinished;
  const until = ttl === undefined ? undefined : Math.min(at, now) + ttl * 1000;
  if (until !== undefined && until <= now) {
    const discarded = own.map((pod) => ({ pod, why: `it ended ${ttl} s ago` }));
    return { ...NOTHING, record, discarded };
  }
  const active = ended(desired, own);
  const names = new Set(active.map(({ name }) => name));
  const stops = own
    .filter(({ name }) => !names.has(name))
    .flatMap((pod) =>
      pod.containers
        .filter(({ state }) => state === 'running')
        .map((container): Step => {
          const why = record.outcome?.message ?? '';
          return { do: 'stopContainer', pod, container, graceSeconds: pod.graceSeconds, why };
        }),
    );
  if (until === undefined || own.length === 0) return { ...NOTHING, record, active, stops };
  const wait: Wait = { subject: named(desired), reason: 'AwaitingCleanup', until, why: `its pods go after ${ttl} s` };
  return { ...NOTHING, record, active, stops, waits: [wait] };
}

/** Pods that have ended well and are still there. */
function ended(desired: readonly DesiredPod[], own: readonly ActualPod[]): DesiredPod[] {
  return desired.filter((pod) => {
    const current = podOf(pod, own);
    return current !== undefined && isOver(pod, current) && failedContainers(pod, current).length === 0;
  });
}

function named(desired: readonly DesiredPod[]): string {
  return desired[0]?.workload.name ?? '';
}
