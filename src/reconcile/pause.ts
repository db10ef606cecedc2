// A pause that an abort cuts short.
import { setTimeout as sleep } from 'node:timers/promises';

/** Fulfilled after `ms`, or at once when `signal` aborts: the caller looks at the signal. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
