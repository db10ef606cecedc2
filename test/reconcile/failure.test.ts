import { readFileSync } from 'node:fs';

import test from 'ava';

import { classify } from '../../src/reconcile/classify.ts';
import type { Step } from '../../src/reconcile/effects.ts';
import { failureKey, failureOf, isHeld, standsInTheWay } from '../../src/reconcile/failure.ts';
import { podsOf, runningPod, sampleContainer, samplePod, sampleWorkload } from './sample-workload.ts';

function coded(code: string): Error {
  return Object.assign(new Error('x'), { code });
}

test('errors are judged by their code alone', (t) => {
  t.is(classify(coded('REFERENCE_INVALID')), 'stalled');
  t.is(classify(coded('REGISTRY_UNAUTHORIZED')), 'wait');
  t.is(classify(coded('REGISTRY_NOT_FOUND')), 'retry', 'a manifest may be committed before its image is pushed');
  t.is(classify(coded('ENOSPC')), 'wait');
  t.is(classify(coded('REGISTRY_UNREACHABLE')), 'retry');
  t.is(classify(new Error('REFERENCE_INVALID')), 'retry');
  t.is(classify('no error at all'), 'retry');
});

test('every code that is judged exists', (t) => {
  const judged = readFileSync(new URL('../../src/reconcile/classify.ts', import.meta.url), 'utf8');
  const known = readFileSync(new URL('../../src/oci/error.ts', import.meta.url), 'utf8');
  const codes = [...judged.matchAll(/^ {2}'([A-Z]+_[A-Z_]+)'/gm)].map(([, code]) => code ?? '');
  t.true(codes.length > 5);
  t.deepEqual(
    codes.filter((code) => !known.includes(`'${code}'`)),
    [],
  );
});

test('failures in a row pause longer, and a stalled one has no end', (t) => {
  const first = failureOf(new Error('a'), undefined, 1000);
  t.like(first, { attempt: 1, retryAt: 11_000, class: 'retry' });
  t.like(failureOf(new Error('a'), first, 1000), { attempt: 2, retryAt: 21_000 });
  t.like(failureOf(coded('DISK_FULL'), first, 1000), { retryAt: 301_000, code: 'DISK_FULL' });
  const stalled = failureOf(coded('UNSAFE_PATH'), undefined, 1000);
  t.is(stalled.retryAt, undefined);
  t.true(isHeld(stalled, Number.MAX_SAFE_INTEGER));
  t.true(isHeld(first, 10_999));
  t.false(isHeld(first, 11_000));
  t.false(isHeld(undefined, 0));
});

test('a failed step stands in the way of its own container and of its sandbox, and of nothing else', (t) => {
  const workload = sampleWorkload({
    pod: samplePod({ containers: ['a', 'b'].map((name) => sampleContainer({ name })) }),
  });
  const [pod] = podsOf(workload);
  if (pod === undefined) throw new Error('no pod');
  const actual = runningPod(pod);
  const step = (name: string): Step => {
    const container = pod.containers.find((one) => one.name === name);
    if (container === undefined) throw new Error('no container');
    return { do: 'startContainer', pod, container, history: { restarts: 0, crashes: 0 }, why: '' };
  };
  const sandbox: Step = { do: 'createSandbox', pod, why: '' };
  const teardown: Step = { do: 'removeSandbox', pod: actual, why: '' };
  const elsewhere: Step = { do: 'createSandbox', pod: { ...pod, name: 'other' }, why: '' };
  const pull: Step = { do: 'pullImage', pod, image: { reference: 'r', digest: 'd' }, why: '' };
  t.true(standsInTheWay(step('a'), step('a')));
  t.false(standsInTheWay(step('a'), step('b')));
  t.true(standsInTheWay(step('a'), teardown));
  t.true(standsInTheWay(sandbox, step('b')));
  t.false(standsInTheWay(elsewhere, step('b')));
  t.false(standsInTheWay(sandbox, pull));
  t.true(standsInTheWay(pull, step('a')));
  t.true(standsInTheWay(step('a'), { do: 'lookAgain', pod, why: '' }));
  t.not(failureKey(step('a')), failureKey(step('b')));
  const changed: Step = { do: 'createSandbox', pod: { ...pod, hash: 'other' }, why: '' };
  t.not(failureKey(sandbox), failureKey(changed), 'another spec is tried at once');
});
