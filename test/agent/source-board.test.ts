import test from 'ava';

import { SourceBoard } from '../../src/agent/source-board.ts';
import { unsettledReasons } from '../../src/agent/unsettled.ts';
import type { Condition } from '../../src/reconcile/status.ts';
import { ManifestError } from '../../src/spec/manifest-error.ts';
import type { WorkloadStatus } from '../../src/reconcile/workloads.ts';

function board(): SourceBoard {
  return new SourceBoard([{ name: '/a', kind: 'directory' }]);
}

test('a source is silent until it was read, well or badly', (t) => {
  const good = board();
  t.deepEqual(good.silent(), ['/a']);
  good.note({ event: 'revisionAccepted', source: '/a', revision: 'r', workloads: 1 }, 1000);
  t.deepEqual(good.silent(), []);
  const bad = board();
  bad.note({ event: 'sourceFailed', source: '/a', code: 'SOURCE_MISSING', message: 'gone' }, 1000);
  t.deepEqual(bad.silent(), []);
});

test('a refused revision is a problem, and the one before it stays in force', (t) => {
  const one = board();
  one.note({ event: 'revisionAccepted', source: '/a', revision: 'r1', workloads: 1 }, 1000);
  const errors = [new Error('first'), new Error('second')];
  one.note({ event: 'revisionRefused', source: '/a', revision: 'r2', reason: 'Invalid', errors }, 2000);
  const [row] = one.rows();
  t.is(row?.revision, 'r1');
  t.is(row?.lastSuccess, 2000);
  t.is(row?.problem, 'revision r2 is refused: first (and 1 more)');
});

test('the problem of a broken manifest says where it is', (t) => {
  const one = board();
  const errors = [new ManifestError({ file: 'a.yaml', line: 3, column: 5, path: 'spec.evn' }, 'Unknown field')];
  one.note({ event: 'revisionRefused', source: '/a', revision: 'r', reason: 'Invalid', errors }, 1000);
  t.is(one.rows()[0]?.problem, 'revision r is refused: a.yaml:3:5: spec.evn: Unknown field');
});

test('the next good look takes the problem away', (t) => {
  const one = board();
  one.note({ event: 'sourceFailed', source: '/a', code: 'SOURCE_IO', message: 'x' }, 1000);
  one.note({ event: 'sourceChecked', source: '/a', revision: 'r' }, 2000);
  t.is(one.rows()[0]?.problem, undefined);
});

test('what an agent before this one accepted is in force when the source still says it', (t) => {
  const one = board();
  one.note({ event: 'sourceChecked', source: '/a', revision: 'r' }, 1000);
  t.is(one.rows()[0]?.revision, 'r');
});

test('a refused revision stays a problem for as long as the source says it', (t) => {
  const one = board();
  one.note({ event: 'revisionAccepted', source: '/a', revision: 'r1', workloads: 1 }, 1000);
  one.note(
    { event: 'revisionRefused', source: '/a', revision: 'r2', reason: 'Invalid', errors: [new Error('x')] },
    2000,
  );
  one.note({ event: 'sourceFailed', source: '/a', code: 'SOURCE_IO', message: 'away' }, 3000);
  t.is(one.rows()[0]?.problem, 'away');
  one.note({ event: 'sourceChecked', source: '/a', revision: 'r2' }, 4000);
  t.like(one.rows()[0], { revision: 'r1', lastSuccess: 4000, problem: 'revision r2 is refused: x' });
  one.note({ event: 'sourceChecked', source: '/a', revision: 'r1' }, 5000);
  t.like(one.rows()[0], { revision: 'r1', problem: undefined });
});

test('a report about a source that is not followed changes nothing', (t) => {
  const one = board();
  one.note({ event: 'sourceChecked', source: '/b', revision: 'r' }, 1000);
  t.is(one.rows().length, 1);
});

function condition(status: Condition['status']): Condition {
  return { type: 'Ready', status, reason: 'Because', message: 'so', lastTransitionTime: '' };
}

function status(name: string, conditions: readonly Condition[]): WorkloadStatus {
  const workload = { kind: 'Pod', namespace: 'default', name } as const;
  return { workload, source: '/a', revision: 'r', conditions, nextLook: undefined };
}

test('what is not as declared after --once is said: bad sources and workloads that are not ready', (t) => {
  const row = { name: '/a', kind: 'directory', revision: undefined, lastSuccess: undefined, problem: 'gone' } as const;
  const workloads = [status('up', [condition('True')]), status('down', [condition('False')]), status('new', [])];
  t.deepEqual(unsettledReasons([row], workloads), [
    'source /a: gone',
    'Pod/default/down: Because: so',
    'Pod/default/new: nothing is known of it',
  ]);
  t.deepEqual(unsettledReasons([], workloads.slice(0, 1)), []);
});

test('the condition that tells most is the reason: no image comes before no container', (t) => {
  const image: Condition = { ...condition('False'), type: 'ImagesPulled', reason: 'ImageUnresolved', message: 'gone' };
  t.deepEqual(unsettledReasons([], [status('down', [condition('False'), image])]), [
    'Pod/default/down: ImageUnresolved: gone',
  ]);
  const stalled: Condition = { ...condition('True'), type: 'Stalled', reason: 'StepFailed', message: 'no program' };
  t.deepEqual(unsettledReasons([], [status('down', [condition('False'), stalled, image])]), [
    'Pod/default/down: StepFailed: no program',
  ]);
});
