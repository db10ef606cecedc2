// How the containers of this machine are, by their probes. Kept in memory alone: the next agent asks anew.
import type { Host } from '../../oci/host.ts';
import { identityOf, type ContainerIdentity } from '../../oci/pod/labels.ts';
import { readSandbox } from '../../oci/pod/sandbox.ts';
import type { ContainerState } from '../../oci/runtime/state.ts';
import type { ContainerHealth, ProbeOutcome } from '../../reconcile/probe-state.ts';
import type { ProbeKind } from '../../spec/health.ts';
import { ContainerProbes } from './container-probes.ts';
import { healthOfLabels } from './health-label.ts';
import { runProbe, type ProbeSubject } from './run-probe.ts';

export type HealthListener = {
  readonly onOutcome: (identity: ContainerIdentity, kind: ProbeKind, outcome: ProbeOutcome) => void;
  /** Something is to be done, or shown, that was not before. */
  readonly onChange: (identity: ContainerIdentity, health: ContainerHealth) => void;
};

const LOOPBACK = '127.0.0.1';

export class HealthBoard implements Disposable {
  readonly #host: Host;
  readonly #listener: HealthListener;
  readonly #probes = new Map<string, ContainerProbes>();

  constructor(host: Host, listener: HealthListener) {
    this.#host = host;
    this.#listener = listener;
  }

  /** Ask a container that runs from now on, where it has probes. */
  watch({ record }: ContainerState): void {
    const identity = identityOf(record.labels);
    const { startup, readiness, liveness } = healthOfLabels(record.labels);
    const hasProbes = startup !== undefined || readiness !== undefined || liveness !== undefined;
    if (identity === undefined || !hasProbes || this.#probes.has(record.id)) return;
    const subject: ProbeSubject = {
      runtime: this.#host.runtime,
      id: record.id,
      address: podAddress(this.#host, identity.podUid),
    };
    const startedAt = record.createdAt;
    let wasReady = false;
    const probes = new ContainerProbes({
      probes: { startup, readiness, liveness },
      startedAt,
      ask: (action, limits) => runProbe(action, subject, limits),
      onOutcome: (kind, outcome) => this.#listener.onOutcome(identity, kind, outcome),
      onChange: (health) => {
        if (health.isReady && !wasReady) {
          wasReady = true;
          this.#host.runtime.onPhase('ready', Date.now() - startedAt);
        }
        this.#listener.onChange(identity, health);
      },
    });
    this.#probes.set(record.id, probes);
  }

  /** It has ended. */
  forget(id: string): void {
    this.#probes.get(id)?.[Symbol.dispose]();
    this.#probes.delete(id);
  }

  /** Undefined for a container without probes, or that does not run. */
  health(id: string): ContainerHealth | undefined {
    return this.#probes.get(id)?.health;
  }

  /** Every container that runs and has probes. */
  all(): (ContainerHealth & { readonly id: string })[] {
    return [...this.#probes].map(([id, probes]) => ({ id, ...probes.health }));
  }

  [Symbol.dispose](): void {
    for (const id of this.#probes.keys()) this.forget(id);
  }
}

/** Where the containers of a pod are reached from this machine. */
export function podAddress(host: Host, podUid: string): string {
  return readSandbox(host, podUid)?.pinned?.ipv4 ?? LOOPBACK;
}
