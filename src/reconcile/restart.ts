// Whether and when a container that ended starts again. Pure.
import type { RestartPolicy } from '../spec/model.ts';
import { backoffMs, HEALTHY_RUN_MS } from './backoff.ts';
import type { ActualContainer, RestartHistory } from './effects.ts';

export type Restart = {
  /** Not before this moment, in milliseconds since the epoch. */
  readonly at: number;
  readonly history: RestartHistory;
};

/**
 * Whether a container has ended for good. One that nobody saw end counts as failed: it is started again unless the policy is
 * `Never`. An init container that ended well is done whatever the policy; a sidecar never is by itself.
 */
export function isFinished({ role, state, exitCode }: ActualContainer, policy: RestartPolicy): boolean {
  if (state !== 'exited' || role === 'sidecar') return false;
  if (role === 'init' && exitCode === 0) return true;
  return policy === 'Never' || (policy === 'OnFailure' && exitCode === 0);
}

/**
 * When an exited container may start again. The first end after a healthy run is answered at once. A `finishedAt` in
 * the future (the clock was set back) never delays for longer than the back-off itself.
 */
export function restartOf({ startedAt, finishedAt, history }: ActualContainer, now: number): Restart {
  const end = finishedAt ?? now;
  const ranMs = startedAt === undefined ? 0 : end - startedAt;
  const crashes = ranMs >= HEALTHY_RUN_MS ? 0 : history.crashes;
  const pauseMs = finishedAt === undefined ? 0 : backoffMs(crashes);
  return {
    at: Math.min(end, now) + pauseMs,
    history: { restarts: history.restarts + 1, crashes: crashes + 1 },
  };
}
