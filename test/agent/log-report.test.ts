import test from 'ava';

import type { LogLevel } from '../../src/agent/config.ts';
import { logLine } from '../../src/agent/log-report.ts';
import type { Failure } from '../../src/reconcile/failure.ts';
import type { Report } from '../../src/reconcile/report.ts';
import type { Condition } from '../../src/reconcile/status.ts';
import { loadManifests } from '../../src/spec/load.ts';

const workload = { kind: 'Deployment', namespace: 'default', name: 'web' } as const;
const failure: Failure = { attempt: 2, retryAt: 0, class: 'retry', code: 'START_FAILED', message: 'no such program' };
const step = { step: 'startContainer', pod: 'web-0', container: 'main', image: undefined, why: 'not running' } as const;
const ready: Condition = {
  type: 'Ready',
  status: 'False',
  reason: 'CrashLoopBackOff',
  message: 'it ends at once',
  lastTransitionTime: '2026-01-01T00:00:00Z',
};
const looked = { event: 'looked', workload, result: 'success', steps: 0, durationMs: 1, conditions: [ready] } as const;

const LINES: readonly [Report, LogLevel, string][] = [
  [{ event: 'revisionAccepted', source: '/a', revision: 'r', workloads: 1 }, 'info', 'revision accepted'],
  [{ event: 'sourceChecked', source: '/a', revision: 'r' }, 'debug', 'source checked'],
  [{ event: 'sourceFailed', source: '/a', code: 'SOURCE_IO', message: 'x' }, 'warn', 'source cannot be read'],
  [{ event: 'imageImported', source: '/a', path: '/a/images/x.oci.tar' }, 'info', 'images imported'],
  [{ event: 'imageImportFailed', source: '/a', path: '/p', message: 'x' }, 'error', 'images cannot be imported'],
  [{ event: 'imageResolved', workload, reference: 'a:1', digest: 'sha256:1' }, 'debug', 'image resolved'],
  [{ event: 'imageUnresolved', workload, failure }, 'warn', 'image cannot be resolved'],
  [{ event: 'imagePulled', reference: 'a:1', digest: 'sha256:1', durationMs: 1 }, 'info', 'image ready'],
  [{ event: 'imagePullFailed', reference: 'a:1', digest: 'sha256:1', failure }, 'warn', 'image cannot be pulled'],
  [{ event: 'stepDone', workload, ...step, durationMs: 1 }, 'info', 'step done'],
  [{ event: 'stepFailed', workload, ...step, failure }, 'warn', 'step failed'],
  [{ ...looked, changed: true }, 'info', 'workload changed'],
  [{ ...looked, changed: false }, 'debug', 'looked'],
  [{ event: 'workloadConflict', workload, message: 'x' }, 'error', 'name is taken'],
  [{ event: 'workloadGone', workload }, 'info', 'workload gone'],
  [{ event: 'recordFailed', message: 'x' }, 'error', 'desired record failed'],
  [{ event: 'lookFailed', workload, failure }, 'error', 'look failed'],
];

for (const [report, level, message] of LINES) {
  test(`${report.event}${'changed' in report && report.changed ? ' with a change' : ''} is logged at ${level}`, (t) => {
    const line = logLine(report);
    t.is(line.level, level);
    t.is(line.message, message);
  });
}

test('a failure is logged with its code, its message, and when it is tried again', (t) => {
  const { fields } = logLine({ event: 'stepFailed', workload, ...step, failure });
  t.is(fields['code'], 'START_FAILED');
  t.is(fields['error'], 'no such program');
  t.is(fields['retryAt'], '1970-01-01T00:00:00.000Z');
  t.is(fields['workload'], 'Deployment/default/web');
});

test('mistakes in a manifest are logged by place, without the line they stand in', (t) => {
  const text =
    'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: a, key: hunter2}]}\n';
  const loaded = loadManifests([{ path: 'pod.yaml', text }]);
  const errors = 'errors' in loaded ? loaded.errors : [];
  t.true(errors.length > 0);
  const { fields } = logLine({ event: 'revisionRefused', source: '/a', revision: 'r', reason: 'Invalid', errors });
  t.regex(String(fields['errors']), /^pod\.yaml:4:\d+: /);
  t.false(JSON.stringify(fields).includes('hunter2'));
});
