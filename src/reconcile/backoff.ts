// How long to wait before the next attempt. Pure: counts in, milliseconds out.

const FIRST_MS = 10_000;
const LONGEST_MS = 300_000;

/** A container that ran this long is healthy again: its next end counts as the first. */
export const HEALTHY_RUN_MS = 600_000;

/**
 * The pause after the `attempt`-th failure in a row: 0 before any, then 10 s, 20 s, 40 s, … at most 300 s
 * (kubernetes.io, "Pod lifecycle", container restarts).
 */
export function backoffMs(attempt: number): number {
  if (attempt <= 0) return 0;
  return Math.min(FIRST_MS * 2 ** Math.min(attempt - 1, 30), LONGEST_MS);
}
