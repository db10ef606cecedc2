// The probes of one container that runs: asked in time, until it is disposed. What their results mean is decided in probe-state.ts.
import {
  activeKinds,
  afterOutcome,
  healthOf,
  initialState,
  nextProbeAt,
  type ContainerHealth,
  type ProbeOutcome,
  type ProbeStates,
} from '../../reconcile/probe-state.ts';
import type { HealthSpec, ProbeAction, ProbeKind, ProbeSpec } from '../../spec/health.ts';

export type ContainerProbesOptions = {
  readonly probes: Partial<Pick<HealthSpec, ProbeKind>>;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Asks once. Never rejects. */
  readonly ask: (action: ProbeAction, limits: AskLimits) => Promise<ProbeOutcome>;
  readonly onOutcome: (kind: ProbeKind, outcome: ProbeOutcome) => void;
  readonly onChange: (health: ContainerHealth) => void;
};

export type AskLimits = { readonly timeoutSeconds: number; readonly signal: AbortSignal };

const KINDS = ['startup', 'readiness', 'liveness'] as const;

export class ContainerProbes implements Disposable {
  readonly #options: ContainerProbesOptions;
  readonly #ending = new AbortController();
  readonly #timers = new Map<ProbeKind, NodeJS.Timeout>();
  readonly #last = new Map<ProbeKind, number>();
  #states: ProbeStates;

  /** Begins at once. */
  constructor(options: ContainerProbesOptions) {
    this.#options = options;
    const kinds = KINDS.filter((kind) => options.probes[kind] !== undefined);
    this.#states = Object.fromEntries(kinds.map((kind) => [kind, initialState(kind)]));
    this.#schedule();
  }

  get health(): ContainerHealth {
    return healthOf(this.#states);
  }

  /** Give every probe that is to be made, and has no time yet, its time. */
  #schedule(): void {
    if (this.#ending.signal.aborted) return;
    for (const kind of activeKinds(this.#states)) {
      const spec = this.#options.probes[kind];
      if (spec === undefined || this.#timers.has(kind)) continue;
      const now = Date.now();
      const { startedAt } = this.#options;
      const at = nextProbeAt(spec, { startedAt, last: this.#last.get(kind), now });
      const timer = setTimeout(() => void this.#probe(kind, spec, at), at - now).unref();
      this.#timers.set(kind, timer);
    }
  }

  async #probe(kind: ProbeKind, spec: ProbeSpec, at: number): Promise<void> {
    const { ask, onOutcome, onChange } = this.#options;
    const { signal } = this.#ending;
    const outcome = await ask(spec.action, { timeoutSeconds: spec.timeoutSeconds, signal });
    if (signal.aborted) return;
    const before = this.health;
    const state = this.#states[kind] ?? initialState(kind);
    this.#states = { ...this.#states, [kind]: afterOutcome(state, outcome, { kind, spec }) };
    this.#last.set(kind, at);
    this.#timers.delete(kind);
    onOutcome(kind, outcome);
    if (isChanged(before, this.health)) onChange(this.health);
    this.#schedule();
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}

/** Whether something is to be done, or shown, that was not before. */
function isChanged(before: ContainerHealth, after: ContainerHealth): boolean {
  return (
    before.isStarted !== after.isStarted ||
    before.isReady !== after.isReady ||
    before.isPending !== after.isPending ||
    before.failure?.probe !== after.failure?.probe
  );
}
