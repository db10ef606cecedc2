import { setImmediate as turn } from 'node:timers/promises';

import test from 'ava';

import { forEachConcurrent } from '../../../src/oci/image/concurrent.ts';

test('every item is worked on once, and never more than the limit at a time', async (t) => {
  const seen: number[] = [];
  let [running, most] = [0, 0];
  const items = Array.from({ length: 20 }, (_, at) => at);
  await forEachConcurrent(items, { limit: 3, signal: undefined }, async (item) => {
    running += 1;
    most = Math.max(most, running);
    seen.push(item);
    await turn();
    running -= 1;
  });
  t.deepEqual(
    seen.toSorted((a, b) => a - b),
    items,
  );
  t.is(most, 3);
});

test('one failure stops the others, and all have ended when it is thrown', async (t) => {
  const started: number[] = [];
  let ended = 0;
  const work = async (item: number, signal: AbortSignal): Promise<void> => {
    started.push(item);
    try {
      for (let turns = 0; turns < 5 && !signal.aborted; turns += 1) await turn();
      if (item === 1) throw new Error('one');
      signal.throwIfAborted();
    } finally {
      ended += 1;
    }
  };
  await t.throwsAsync(forEachConcurrent([0, 1, 2, 3, 4], { limit: 2, signal: undefined }, work), { message: 'one' });
  t.is(ended, started.length);
  t.true(started.length < 5);
});

test("the caller's abort is the error", async (t) => {
  const stop = new AbortController();
  const work = async (): Promise<void> => stop.abort(new Error('enough'));
  await t.throwsAsync(forEachConcurrent([1, 2], { limit: 1, signal: stop.signal }, work), { message: 'enough' });
});

test('nothing to do is done', async (t) => {
  await t.notThrowsAsync(forEachConcurrent([], { limit: 4, signal: undefined }, async () => t.fail()));
});
