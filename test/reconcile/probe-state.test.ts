import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import {
  activeKinds,
  afterOutcome,
  healthOf,
  initialState,
  nextProbeAt,
  type ProbeOutcome,
  type ProbeState,
  type ProbeStates,
} from '../../src/reconcile/probe-state.ts';
import type { ProbeKind } from '../../src/spec/health.ts';

const outcome = fc.constantFrom<ProbeOutcome['result']>('success', 'failure', 'error');
const outcomes = fc.array(outcome, { maxLength: 40 });
const kind = fc.constantFrom<ProbeKind>('startup', 'readiness', 'liveness');
const thresholds = fc.record({
  successThreshold: fc.integer({ min: 1, max: 4 }),
  failureThreshold: fc.integer({ min: 1, max: 4 }),
});

type Thresholds = { readonly successThreshold: number; readonly failureThreshold: number };

function after(results: readonly ProbeOutcome['result'][], of: ProbeKind, spec: Thresholds): ProbeState {
  return results.reduce(
    (state, result) => afterOutcome(state, { result, message: result }, { kind: of, spec }),
    initialState(of),
  );
}

/** The verdict by looking at the whole history each time: the last run that was long enough decides. */
function verdictOf(results: readonly ProbeOutcome['result'][], of: ProbeKind, spec: Thresholds): string {
  let verdict: string = of === 'liveness' ? 'success' : 'unknown';
  const counted = results.filter((result) => result !== 'error');
  for (let length = 1; length <= counted.length; length += 1) {
    const history = counted.slice(0, length);
    const last = history.at(-1);
    const threshold = last === 'success' ? spec.successThreshold : spec.failureThreshold;
    if (length >= threshold && history.slice(-threshold).every((one) => one === last)) verdict = last ?? verdict;
    if (of === 'startup' && verdict !== 'unknown') return verdict;
    if (of === 'liveness' && verdict === 'failure') return verdict;
  }
  return verdict;
}

test('the verdict is that of the last run that was long enough', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(outcomes, kind, thresholds, (results, of, spec) => {
        assert.equal(after(results, of, spec).verdict, verdictOf(results, of, spec));
      }),
      { numRuns: 500 },
    ),
  );
});

test('a probe that could not be made changes nothing but the message', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(outcomes, kind, thresholds, (results, of, spec) => {
        const { message: _one, ...with_ } = after(results, of, spec);
        const { message: _other, ...without } = after(
          results.filter((result) => result !== 'error'),
          of,
          spec,
        );
        assert.deepEqual(with_, without);
      }),
    ),
  );
});

test('what ends a container is decided once; readiness may change its mind for ever', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(outcomes, outcomes, thresholds, (before, later, spec) => {
        for (const ending of ['startup', 'liveness'] as const) {
          const state = after(before, ending, spec);
          if (state.isOver) assert.deepEqual(after([...before, ...later], ending, spec), state);
        }
        assert.equal(after(before, 'readiness', spec).isOver, false);
      }),
    ),
  );
});

const ONE: Thresholds = { successThreshold: 1, failureThreshold: 1 };
const state = (of: ProbeKind, ...results: ProbeOutcome['result'][]): ProbeState => after(results, of, ONE);

test('until the startup probe has succeeded no other is made, and the container is not ready', (t) => {
  const others = { readiness: state('readiness', 'success'), liveness: state('liveness', 'failure') };
  const waiting: ProbeStates = { startup: state('startup'), readiness: others.readiness };
  t.deepEqual(activeKinds(waiting), ['startup']);
  t.like(healthOf(waiting), { isStarted: false, isReady: false, isPending: true, failure: undefined });
  const started: ProbeStates = { startup: state('startup', 'success'), readiness: state('readiness') };
  t.deepEqual(activeKinds(started), ['readiness']);
  t.like(healthOf(started), { isStarted: true, isReady: false, isPending: true });
  const failed: ProbeStates = { startup: state('startup', 'failure'), ...others };
  t.deepEqual(activeKinds(failed), []);
  t.deepEqual(healthOf(failed).failure, { probe: 'startup', message: 'failure' });
});

test('a container without a readiness probe is ready when it has started', (t) => {
  t.true(healthOf({ startup: state('startup', 'success') }).isReady);
  t.true(healthOf({ liveness: state('liveness') }).isReady);
  t.like(healthOf({ liveness: state('liveness') }), { isPending: false, problem: undefined });
});

test('a container that is to be ended is not ready, and asked only whether it is', (t) => {
  const states = { liveness: state('liveness', 'failure'), readiness: state('readiness', 'success') };
  t.like(healthOf(states), { isReady: false, failure: { probe: 'liveness', message: 'failure' } });
  t.deepEqual(activeKinds(states), ['readiness']);
});

test('readiness that failed is not pending any more', (t) => {
  const health = healthOf({ readiness: state('readiness', 'failure') });
  t.like(health, { isReady: false, isPending: false, problem: 'readiness probe: failure' });
});

test('the first probe comes after the delay, the next ones a whole number of periods later, and never in the past', (t) => {
  const spec = fc.record({ initialDelaySeconds: fc.nat(20), periodSeconds: fc.integer({ min: 1, max: 20 }) });
  t.notThrows(() =>
    fc.assert(
      fc.property(spec, fc.nat(100_000), fc.nat(100_000), (one, startedAt, passed) => {
        const now = startedAt + passed;
        const first = nextProbeAt(one, { startedAt, last: undefined, now });
        assert.equal(first, Math.max(now, startedAt + one.initialDelaySeconds * 1000));
        const next = nextProbeAt(one, { startedAt, last: startedAt, now });
        assert.ok(next >= now && next > startedAt);
        assert.equal((next - startedAt) % (one.periodSeconds * 1000), 0);
        assert.ok(next - now <= one.periodSeconds * 1000);
      }),
    ),
  );
});

test('a clock that was set back delays no probe for longer than was asked for', (t) => {
  const spec = { initialDelaySeconds: 5, periodSeconds: 10 };
  t.is(nextProbeAt(spec, { startedAt: 1_000_000, last: undefined, now: 1000 }), 6000);
  t.is(nextProbeAt(spec, { startedAt: 0, last: 1_000_000, now: 1000 }), 11_000);
});
