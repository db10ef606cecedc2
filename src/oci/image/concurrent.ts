// Doing several things at once, but not all of them, and stopping together.

export type ConcurrencyOptions = { readonly limit: number; readonly signal: AbortSignal | undefined };

/**
 * Run `work` on every item, at most `limit` at a time, in order of the items. When one fails, the signal handed to the
 * others aborts; the promise rejects with the first error, after all have ended: nothing goes on behind the caller's back.
 */
export async function forEachConcurrent<T>(
  items: readonly T[],
  { limit, signal }: ConcurrencyOptions,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const queue = items.values();
  const failures: unknown[] = [];
  const drain = async (): Promise<void> => {
    // The workers share one iterator: each item is taken once.
    for (const item of queue) {
      if (both.aborted) return;
      try {
        await work(item, both);
      } catch (error) {
        failures.push(error);
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, drain));
  if (failures.length > 0) throw failures[0];
  signal?.throwIfAborted();
}
