// What the results of one probe add up to: thresholds and verdicts, as the kubelet has them (kubernetes/pkg/kubelet/prober/worker.go).
// Pure.
import type { ProbeKind, ProbeSpec } from '../spec/health.ts';

/** `error`: the probe itself could not be made, so that nothing is known of the container: it does not count. */
export type ProbeOutcome = {
  readonly result: 'success' | 'failure' | 'error';
  /** For people: what came back. */
  readonly message: string;
};

export type Verdict = 'unknown' | 'success' | 'failure';

export type ProbeState = {
  readonly verdict: Verdict;
  /** The last outcome that counted, and how often in a row it has come. */
  readonly last: 'success' | 'failure' | undefined;
  readonly run: number;
  /** The container is to be ended: it is asked no more. */
  readonly isOver: boolean;
  /** Of the last outcome. */
  readonly message: string;
};

/** Before the first outcome. What may end a container trusts it; what lets it serve does not. */
export function initialState(kind: ProbeKind): ProbeState {
  const verdict = kind === 'liveness' ? 'success' : 'unknown';
  return { verdict, last: undefined, run: 0, isOver: false, message: '' };
}

/** The state after one more outcome. */
export function afterOutcome(
  state: ProbeState,
  { result, message }: ProbeOutcome,
  { kind, spec }: { readonly kind: ProbeKind; readonly spec: Pick<ProbeSpec, 'successThreshold' | 'failureThreshold'> },
): ProbeState {
  if (state.isOver) return state;
  if (result === 'error') return { ...state, message };
  const run = state.last === result ? state.run + 1 : 1;
  const threshold = result === 'success' ? spec.successThreshold : spec.failureThreshold;
  const verdict = run >= threshold ? result : state.verdict;
  // A container that has started stays so: it is not asked again.
  const isOver = kind === 'startup' ? verdict !== 'unknown' : kind === 'liveness' && verdict === 'failure';
  return { verdict, last: result, run, isOver, message };
}

/** The probes of a container that is running; absent where it has none of the kind. */
export type ProbeStates = { readonly [K in ProbeKind]?: ProbeState };

/** Which probes are to be made now: nothing else before the startup probe has succeeded. */
export function activeKinds(states: ProbeStates): ProbeKind[] {
  const { startup } = states;
  if (startup !== undefined && startup.verdict !== 'success') return startup.isOver ? [] : ['startup'];
  return (['readiness', 'liveness'] as const).filter((kind) => states[kind]?.isOver === false);
}

/** What the probes say of a container that runs. */
export type ContainerHealth = {
  readonly isStarted: boolean;
  readonly isReady: boolean;
  /** Nobody can say yet whether it is ready: it may become so without anything being done. */
  readonly isPending: boolean;
  /** Why it must be ended. */
  readonly failure: { readonly probe: ProbeKind; readonly message: string } | undefined;
  /** Why it is not ready. */
  readonly problem: string | undefined;
};

/** What these states mean for the container. */
export function healthOf(states: ProbeStates): ContainerHealth {
  const { startup, readiness, liveness } = states;
  const failed = startup?.verdict === 'failure' ? 'startup' : liveness?.verdict === 'failure' ? 'liveness' : undefined;
  const failure =
    failed === undefined ? undefined : ({ probe: failed, message: states[failed]?.message ?? '' } as const);
  const isStarted = startup === undefined || startup.verdict === 'success';
  const isReady = isStarted && failure === undefined && (readiness === undefined || readiness.verdict === 'success');
  const isPending = failure === undefined && (startup?.verdict === 'unknown' || readiness?.verdict === 'unknown');
  return { isStarted, isReady, isPending, failure, problem: isReady ? undefined : problemOf(states, isStarted) };
}

function problemOf({ startup, readiness, liveness }: ProbeStates, isStarted: boolean): string {
  if (!isStarted) return described('startup', startup);
  return liveness?.verdict === 'failure' ? described('liveness', liveness) : described('readiness', readiness);
}

function described(kind: ProbeKind, state: ProbeState | undefined): string {
  if (state === undefined || state.message === '') return `the ${kind} probe has not answered yet`;
  return state.last === 'success'
    ? `the ${kind} probe succeeds, not often enough yet`
    : `${kind} probe: ${state.message}`;
}

/**
 * When the next probe is due. Probes of one kind never overlap: one that took longer than the period leaves its ticks out.
 * Times in milliseconds since the epoch.
 */
export function nextProbeAt(
  { initialDelaySeconds, periodSeconds }: Pick<ProbeSpec, 'initialDelaySeconds' | 'periodSeconds'>,
  { startedAt, last, now }: { readonly startedAt: number; readonly last: number | undefined; readonly now: number },
): number {
  const period = periodSeconds * 1000;
  // The clock was set back: no delay is longer than the one that was asked for.
  if (last !== undefined && last > now) return now + period;
  if (last !== undefined) return last + Math.max(1, Math.ceil((now - last) / period)) * period;
  const due = startedAt + initialDelaySeconds * 1000;
  return Math.min(Math.max(now, due), now + initialDelaySeconds * 1000);
}
