import * as fc from 'fast-check';
import test from 'ava';

import { CommandFailure } from '../../src/cli/failure.ts';
import { allMatches, fullName, matches, oneMatch, type Named } from '../../src/cli/name-resolution.ts';

function named(id: string, name: string, workload?: string): Named {
  const [namespace = '', pod = '', container = ''] = name.split('/');
  return { id, namespace, pod, container, workload: workload ?? pod };
}

const ALL = [
  named('aaaa1111', 'default/web-0/nginx', 'web'),
  named('aaaa2222', 'default/web-0/sidecar', 'web'),
  named('bbbb3333', 'default/web-1/nginx', 'web'),
  named('cccc4444', 'prod/db/postgres', 'db'),
  named('dddd5555', 'default/cafe/main', 'cafe'),
];

const ids = (name: string): string[] => matches(name, ALL).map(({ id }) => id);

const MEANT: readonly [string, string, string[]][] = [
  ['a pod', 'db', ['cccc4444']],
  ['all containers of a pod', 'web-0', ['aaaa1111', 'aaaa2222']],
  ['pod/container', 'web-0/sidecar', ['aaaa2222']],
  ['namespace/pod', 'prod/db', ['cccc4444']],
  ['namespace/pod/container', 'prod/db/postgres', ['cccc4444']],
  ['a workload', 'web', ['aaaa1111', 'aaaa2222', 'bbbb3333']],
  ['namespace/workload', 'default/web', ['aaaa1111', 'aaaa2222', 'bbbb3333']],
  ['the beginning of an id', 'bbbb', ['bbbb3333']],
  ['a whole id', 'bbbb3333', ['bbbb3333']],
  ['a pod rather than the beginning of an id', 'cafe', ['dddd5555']],
  ['nothing: too short for an id', 'bbb', []],
  ['nothing: another namespace', 'default/db', []],
  ['nothing: another container', 'prod/db/nginx', []],
  ['nothing: empty parts', 'prod//postgres', []],
  ['nothing: too many parts', 'a/b/c/d', []],
  ['nothing: empty', '', []],
];

for (const [what, name, expected] of MEANT) {
  test(`'${name}' means ${what}`, (t) => {
    t.deepEqual(ids(name), expected);
  });
}

test('a name that means one container finds it', (t) => {
  t.is(oneMatch('web-1', ALL).id, 'bbbb3333');
});

test('a name that means several says which, and how to choose', (t) => {
  const error = t.throws(() => oneMatch('web-0', ALL), { instanceOf: CommandFailure });
  t.is(
    error?.message,
    "'web-0' can mean 2 containers: default/web-0/nginx (aaaa1111), default/web-0/sidecar (aaaa2222)",
  );
  t.regex(error?.hint ?? '', /pod\/container/);
});

test('a name that means none says where to look', (t) => {
  const error = t.throws(() => oneMatch('nope', ALL), { instanceOf: CommandFailure, message: /no container 'nope'/ });
  t.regex(error?.hint ?? '', /berth ps -a/);
});

test('several names mean each container once, and one that means none fails all', (t) => {
  t.deepEqual(
    allMatches(['web-0', 'aaaa1111', 'db'], ALL).map(({ id }) => id),
    ['aaaa1111', 'aaaa2222', 'cccc4444'],
  );
  t.throws(() => allMatches(['db', 'nope'], ALL), { instanceOf: CommandFailure });
});

test('a full name means its own container whatever others there are', (t) => {
  const part = fc.constantFrom('a', 'b', 'web', 'abcd', 'default');
  const names = fc.uniqueArray(fc.tuple(part, part, part), { selector: (parts) => parts.join('/'), minLength: 1 });
  t.notThrows(() =>
    fc.assert(
      fc.property(names, (all) => {
        const candidates = all.map((parts, index) => named(`${index}`.padStart(8, '0'), parts.join('/')));
        return candidates.every((one) => oneMatch(fullName(one), candidates).id === one.id);
      }),
    ),
  );
});
