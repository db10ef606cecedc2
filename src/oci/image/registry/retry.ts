// When to ask again: bounded attempts, exponential back-off with full jitter, the server's own Retry-After first.
import { setTimeout as sleep } from 'node:timers/promises';

import type { OciError } from '../../error.ts';

export type RetryPolicy = {
  /** Tries in all, the first included. */
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** A Retry-After beyond this is not waited for: the error goes up, and the caller has its own back-off. */
  readonly maxRetryAfterMs: number;
};

export const DEFAULT_RETRY: RetryPolicy = { attempts: 6, baseMs: 250, maxMs: 10_000, maxRetryAfterMs: 30_000 };

/** A failure that may go away by itself. Never leaves the registry client: when tries run out, `error` is thrown. */
export class TransientFailure extends Error {
  readonly error: OciError;
  readonly retryAfterMs: number | undefined;

  constructor(error: OciError, retryAfterMs?: number) {
    super(error.message, { cause: error });
    this.name = 'TransientFailure';
    this.error = error;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Milliseconds to wait before try `attempt` (the second is 1), or `undefined` to give up. `random` is from 0 to 1.
 */
export function retryDelay(
  policy: RetryPolicy,
  attempt: number,
  random: number,
  retryAfterMs?: number,
): number | undefined {
  if (attempt >= policy.attempts) return undefined;
  const backoff = Math.min(policy.maxMs, policy.baseMs * 2 ** (attempt - 1)) * random;
  if (retryAfterMs === undefined) return backoff;
  return retryAfterMs > policy.maxRetryAfterMs ? undefined : retryAfterMs + Math.min(backoff, policy.baseMs);
}

/** Retry-After (RFC 9110 section 10.2.3) in milliseconds: seconds or a date. `undefined` when missing or unreadable. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** Run `operation` until it does not fail with a TransientFailure, or tries run out. Rejects when `signal` aborts. */
export async function withRetries<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  operation: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      await pauseBeforeRetry(policy, attempt, error, signal);
    }
  }
}

/** Wait before try `attempt`, or throw the failure's error when there is none left. */
export async function pauseBeforeRetry(
  policy: RetryPolicy,
  attempt: number,
  failure: TransientFailure,
  signal: AbortSignal | undefined,
): Promise<void> {
  const delayMs = retryDelay(policy, attempt, Math.random(), failure.retryAfterMs);
  if (delayMs === undefined) throw failure.error;
  await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
}
