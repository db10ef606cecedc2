// When containers that ought to run were last seen doing so: what lets an alert on `time() - container_last_seen` fire, where a
// series that merely ends would silence it.
import type { ContainerIdentity } from '../oci/pod/labels.ts';
import type { Labels } from './snapshot-metric.ts';

const KEPT_MS = 600_000;

export type Seen = { readonly identity: ContainerIdentity; readonly labels: Labels };
export type Missing = { readonly labels: Labels; readonly lastSeen: number };

export class LastSeen {
  readonly #seen = new Map<string, Seen & { readonly at: number }>();

  /**
   * Take note of what runs at `now` (milliseconds since the epoch), and return what does not any more though `isWanted` says
   * that it should: for ten minutes.
   */
  update(running: readonly Seen[], now: number, isWanted: (identity: ContainerIdentity) => boolean): Missing[] {
    const present = new Set(running.map(({ identity }) => keyOf(identity)));
    for (const seen of running) this.#seen.set(keyOf(seen.identity), { ...seen, at: now });
    const missing: Missing[] = [];
    for (const [key, { identity, labels, at }] of this.#seen) {
      if (present.has(key)) continue;
      if (now - at > KEPT_MS || !isWanted(identity)) this.#seen.delete(key);
      else missing.push({ labels, lastSeen: at });
    }
    return missing;
  }
}

function keyOf({ namespace, pod, container }: ContainerIdentity): string {
  return `${namespace}/${pod}/${container}`;
}
