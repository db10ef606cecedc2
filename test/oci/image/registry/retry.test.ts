import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { OciError } from '../../../../src/oci/error.ts';
import {
  DEFAULT_RETRY,
  parseRetryAfter,
  retryDelay,
  TransientFailure,
  withRetries,
} from '../../../../src/oci/image/registry/retry.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');

test('Retry-After is seconds or a date', (t) => {
  t.is(parseRetryAfter('0', NOW), 0);
  t.is(parseRetryAfter('120', NOW), 120_000);
  t.is(parseRetryAfter('Thu, 01 Jan 2026 00:00:10 GMT', NOW), 10_000);
  t.is(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', NOW), 0);
  t.is(parseRetryAfter('soon', NOW), undefined);
  t.is(parseRetryAfter(undefined, NOW), undefined);
});

test('waiting grows, is bounded, and never ends before the server asked for', (t) => {
  const policy = fc.record({
    attempts: fc.integer({ min: 1, max: 10 }),
    baseMs: fc.integer({ min: 1, max: 1000 }),
    maxMs: fc.integer({ min: 1000, max: 60_000 }),
    maxRetryAfterMs: fc.integer({ min: 0, max: 60_000 }),
  });
  const random = fc.double({ min: 0, max: 1, noNaN: true });
  const retryAfter = fc.option(fc.integer({ min: 0, max: 120_000 }), { nil: undefined });
  t.notThrows(() =>
    fc.assert(
      fc.property(policy, fc.integer({ min: 1, max: 20 }), random, retryAfter, (rules, attempt, dice, after) => {
        const delay = retryDelay(rules, attempt, dice, after);
        if (delay === undefined) return assert.ok(attempt >= rules.attempts || (after ?? 0) > rules.maxRetryAfterMs);
        assert.ok(attempt < rules.attempts);
        assert.ok(delay >= (after ?? 0));
        assert.ok(delay <= (after === undefined ? rules.maxMs : after + rules.baseMs));
      }),
    ),
  );
});

test('the default waits less than a minute in all', (t) => {
  const delays = [1, 2, 3, 4, 5].map((attempt) => retryDelay(DEFAULT_RETRY, attempt, 1) ?? 0);
  t.deepEqual(delays, [250, 500, 1000, 2000, 4000]);
  t.is(retryDelay(DEFAULT_RETRY, 6, 1), undefined);
});

test('only a transient failure is tried again, and its own error comes out at the end', async (t) => {
  const policy = { attempts: 3, baseMs: 1, maxMs: 1, maxRetryAfterMs: 0 };
  const error = new OciError('REGISTRY_FAILED', 'registry answered 503');
  let tries = 0;
  const failing = withRetries(policy, undefined, async () => {
    tries += 1;
    throw new TransientFailure(error);
  });
  t.is(await t.throwsAsync(failing), error);
  t.is(tries, 3);
  const other = withRetries(policy, undefined, async () => {
    tries += 1;
    throw new Error('bug');
  });
  await t.throwsAsync(other, { message: 'bug' });
  t.is(tries, 4);
});

test('an abort ends the waiting', async (t) => {
  const stop = new AbortController();
  const policy = { attempts: 3, baseMs: 60_000, maxMs: 60_000, maxRetryAfterMs: 60_000 };
  const waiting = withRetries(policy, stop.signal, async () => {
    setImmediate(() => stop.abort());
    throw new TransientFailure(new OciError('REGISTRY_FAILED', 'x'), 50_000);
  });
  await t.throwsAsync(waiting, { name: 'AbortError' });
});
