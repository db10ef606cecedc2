import test from 'ava';

import { acceptRevision, type Candidate } from '../../src/reconcile/accept-revision.ts';
import { differing, merge, saysNothing, type Merged, type SourceContent } from '../../src/reconcile/declarations.ts';
import { podNames } from '../../src/reconcile/desired-pods.ts';
import type { Workload } from '../../src/spec/model.ts';
import { position, sampleDesired, samplePod, sampleWorkload } from './sample-workload.ts';

function content(source: string, ...workloads: Workload[]): SourceContent {
  return { source, revision: 'r', files: [], desired: sampleDesired(...workloads) };
}

test('text that says nothing is told from text that says little', (t) => {
  const nothing = [
    '',
    '\n\n',
    '# comment',
    '---',
    '--- # comment',
    '  # indented',
    '---\n...\n',
    '\uFEFF',
    '\r\n\t\r\n',
  ];
  for (const text of nothing) t.true(saysNothing([{ path: 'a', text }]), JSON.stringify(text));
  for (const text of ['{}', 'a: 1', 'null', '# x\na: 1', '--- {}', '-'])
    t.false(saysNothing([{ path: 'a', text }]), text);
  t.true(saysNothing([]));
});

function candidate(change: Partial<Candidate>): Candidate {
  const loaded = { desired: sampleDesired() };
  return {
    source: 's',
    revision: 'r',
    files: [],
    loaded,
    previous: undefined,
    orphans: 0,
    allowEmpty: false,
    ...change,
  };
}

test('a revision that says nothing is refused when it would remove something', (t) => {
  const previous = content('s', sampleWorkload());
  t.like(acceptRevision(candidate({ previous })), { refused: 'PruneRefused' });
  t.like(acceptRevision(candidate({ orphans: 1 })), { refused: 'PruneRefused' });
  t.true('accepted' in acceptRevision(candidate({})));
  t.true('accepted' in acceptRevision(candidate({ previous: content('s') })));
  t.true('accepted' in acceptRevision(candidate({ previous, allowEmpty: true })));
  t.true('accepted' in acceptRevision(candidate({ previous, files: [{ path: 'a', text: 'kind: List' }] })));
  const [error] = (acceptRevision(candidate({ previous })) as { errors: readonly Error[] }).errors;
  t.regex(error?.message ?? '', /Refusing to remove 1 workload: s holds no manifest/);
});

test('an earlier source wins a name, and the conflict says where both stand', (t) => {
  const one = content('one', sampleWorkload({ kind: 'Deployment', replicas: 2 }));
  const two = content('two', sampleWorkload({ name: 'web-1', position: { ...position, line: 9 } }));
  const { declarations, conflicts } = merge([one, two]);
  t.deepEqual([...declarations.keys()], ['Deployment/default/web']);
  t.is(conflicts[0]?.message, "Pod 'web-1' wants a pod named 'web-1', and web.yaml:1:1 of one declares one already");
  t.is(conflicts[0]?.position.line, 9);
  const elsewhere = content('two', sampleWorkload({ name: 'web-1', namespace: 'other' }));
  t.is(merge([one, elsewhere]).conflicts.length, 0);
});

function declare(workloads: readonly Workload[]): Merged['declarations'] {
  return merge([content('s', ...workloads)]).declarations;
}

function names(before: readonly Workload[], after: readonly Workload[]): string[] {
  return differing(declare(before), declare(after)).map((id) => id.name);
}

test('what differs is what is new, gone or declared otherwise; its place in the file does not count', (t) => {
  const a = sampleWorkload({ name: 'a' });
  const b = sampleWorkload({ name: 'b' });

  t.deepEqual(names([a], [a]), []);
  t.deepEqual(names([a], [{ ...a, position: { ...position, line: 5 } }]), []);
  t.deepEqual(names([a], [a, b]), ['b']);
  t.deepEqual(names([a, b], [a]), ['b']);
  t.deepEqual(names([a], [{ ...a, pod: samplePod({ restartPolicy: 'Never' }) }]), ['a']);
});

test('a Deployment of n has the pods 0 to n-1, a Pod has its own name', (t) => {
  t.deepEqual(podNames(sampleWorkload()), ['web']);
  t.deepEqual(podNames(sampleWorkload({ kind: 'Deployment', replicas: 0 })), []);
  t.deepEqual(podNames(sampleWorkload({ kind: 'Deployment', replicas: 2 })), ['web-0', 'web-1']);
});
