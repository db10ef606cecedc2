import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { formatChallenge, parseChallenges } from '../../../../src/oci/image/registry/challenge.ts';

function plain(header: string): readonly (readonly [string, Readonly<Record<string, string>>])[] {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

const cases: Readonly<Record<string, readonly [string, ReturnType<typeof plain>]>> = {
  "Docker Hub's challenge": [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull"',
    [
      [
        'bearer',
        {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:library/nginx:pull',
        },
      ],
    ],
  ],
  'a comma inside quotes': [
    'Bearer scope="repository:a:pull,push", realm="r"',
    [['bearer', { scope: 'repository:a:pull,push', realm: 'r' }]],
  ],
  'two challenges': [
    'Basic realm="a", Bearer realm="b",service=c',
    [
      ['basic', { realm: 'a' }],
      ['bearer', { realm: 'b', service: 'c' }],
    ],
  ],
  'escapes in quotes': [String.raw`Basic realm="a\"b\\c"`, [['basic', { realm: String.raw`a"b\c` }]]],
  'a token68 before another challenge': [
    'Negotiate YWJj==, Basic realm=x',
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  'spaces around the equals sign': [
    'BASIC  Realm = "x" , charset=UTF-8',
    [['basic', { realm: 'x', charset: 'UTF-8' }]],
  ],
  'the first of repeated parameters': ['Basic realm=a, realm=b', [['basic', { realm: 'a' }]]],
  'a bare scheme': ['Basic', [['basic', {}]]],
  'an open quote': [
    'Basic realm="a',
    [
      ['basic', {}],
      ['realm', {}],
    ],
  ],
  'parameters without a scheme': ['realm="x"', []],
  nothing: ['', []],
  'a header that is far too long': [`Basic realm="${'a'.repeat(9000)}"`, []],
};

for (const [title, [header, expected]] of Object.entries(cases)) {
  test(`challenges are read: ${title}`, (t) => {
    t.deepEqual(plain(header), expected);
  });
}

const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const challenge = fc.record(
  {
    scheme: token,
    parameters: fc
      .uniqueArray(fc.tuple(token, fc.string({ maxLength: 20 })), { selector: ([name]) => name, maxLength: 4 })
      .map((pairs) => new Map(pairs)),
  },
  { noNullPrototype: true },
);

test('formatted challenges parse back to themselves', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 3 }), (challenges) => {
        assert.deepEqual(parseChallenges(challenges.map(formatChallenge).join(', ')), challenges);
      }),
    ),
  );
});

test('any header is read without an error, and no value comes from nowhere', (t) => {
  const header = fc.oneof(fc.string({ maxLength: 200 }), fc.stringMatching(/^[a-c=", \\\t]{0,60}$/));
  t.notThrows(() =>
    fc.assert(
      fc.property(header, (text) => {
        for (const { scheme, parameters } of parseChallenges(text)) {
          assert.ok(text.toLowerCase().includes(scheme));
          for (const name of parameters.keys()) assert.ok(text.toLowerCase().includes(name));
        }
      }),
    ),
  );
});
