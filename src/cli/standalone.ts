// Containers of `berth run`, and those that are not: what a source declares is the source's to change.
import type { ContainerView } from './containers.ts';
import { CommandFailure } from './failure.ts';

/** Throws CommandFailure when one of these containers belongs to a workload. */
export function requireStandalone(containers: readonly ContainerView[], verb: string): void {
  const kept = containers.find(({ owner }) => owner !== 'run');
  if (kept === undefined) return;
  throw new CommandFailure(`Cannot ${verb} ${kept.name}: ${kept.owner} '${kept.workload}' of a source keeps it`, {
    hint: 'Change or remove its manifest; berth kill ends it once',
  });
}

/** Seconds from a flag, in milliseconds. Throws CommandFailure. */
export function parseGraceMs(seconds: string | undefined): number {
  if (seconds === undefined) return DEFAULT_GRACE_MS;
  if (!/^\d{1,6}$/.test(seconds)) throw new CommandFailure(`--time takes seconds, not '${seconds}'`);
  return Number(seconds) * 1000;
}

const DEFAULT_GRACE_MS = 10_000;
