import assert from 'node:assert';
import { createRequire } from 'node:module';

import test from 'ava';
import * as fc from 'fast-check';

import {
  compareVersions,
  isInRange,
  parseRange,
  parseVersion,
  type Version,
} from '../../src/reconcile/version-range.ts';

function version(text: string): Version {
  const parsed = parseVersion(text);
  if (parsed === undefined) throw new Error(`${text} is no version`);
  return parsed;
}

const within = test.macro({
  exec(t, range: string, inside: readonly string[], outside: readonly string[]) {
    const parsed = parseRange(range);
    for (const text of inside) t.true(isInRange(version(text), parsed), text);
    for (const text of outside) t.false(isInRange(version(text), parsed), text);
  },
  title: (_given, range: string) => `what is in ${range}`,
});

test(within, '1.x', ['1.0.0', 'v1.99.3', '1.2.3+build'], ['0.9.0', '2.0.0', '1.5.0-rc.1', '2.0.0-rc.1']);
test(within, '*', ['0.0.0', '9.9.9'], ['1.0.0-a']);
test(within, '^1.2.3', ['1.2.3', '1.9.0'], ['1.2.2', '2.0.0', '2.0.0-0']);
test(within, '^0.2.3', ['0.2.3', '0.2.9'], ['0.3.0', '0.2.2']);
test(within, '^0.0.3', ['0.0.3'], ['0.0.4']);
test(within, '~1.2', ['1.2.0', '1.2.9'], ['1.3.0', '1.1.9']);
test(within, '>=1.0.0 <2', ['1.0.0', '1.9.9'], ['2.0.0', '0.9.9', '2.0.0-rc.1']);
test(within, '1.2 - 1.4', ['1.2.0', '1.4.9'], ['1.5.0', '1.1.9']);
test(within, '1.0.0 || >= 3.1', ['1.0.0', '3.1.0', '4.0.0'], ['2.0.0', '3.0.9']);
test(within, '>=1.0.0-rc.2', ['1.0.0-rc.2', '1.0.0-rc.10', '1.0.0', '2.0.0'], ['1.0.0-rc.1', '2.0.0-rc.1']);

test('versions are in the order of semver.org', (t) => {
  // Section 11.4.4.
  const order = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11'];
  order.push('1.0.0-rc.1', '1.0.0', '1.0.1', '1.1.0', '10.0.0');
  const sorted = order.toReversed().sort((one, other) => compareVersions(version(one), version(other)));
  t.deepEqual(sorted, order);
});

for (const text of [
  '1',
  '1.2',
  '01.2.3',
  '1.2.3.4',
  'release-1',
  '1.2.3-',
  '1.2.3-01',
  '',
  'v',
  '99999999999999999999.0.0',
]) {
  test(`'${text}' is no version`, (t) => {
    t.is(parseVersion(text), undefined);
  });
}

test('a range that takes anything takes no pre-release, whatever stands beside it', (t) => {
  const version = parseVersion('0.2.1-0');
  t.truthy(version);
  if (version === undefined) return;
  t.false(isInRange(version, parseRange('* - * || * - 0.2.1-2')));
  t.true(isInRange(version, parseRange('* - 0.2.1-2')));
});

for (const text of ['', 'new', '1.y', '>', '1..2', '=>1.0', '>=1.0.0, <2', '1.2.3.4', 'x'.repeat(300)]) {
  test(`'${text.slice(0, 20)}' is no range`, (t) => {
    t.throws(() => parseRange(text), { message: /range/ });
  });
}

type Oracle = { readonly satisfies: (version: string, range: string) => boolean };

function oracle(): Oracle | undefined {
  try {
    return createRequire(import.meta.url)('semver') as Oracle;
  } catch {
    return undefined;
  }
}

const semver = oracle();
const compared = semver === undefined ? test.skip : test;

compared('versions are in the ranges that the semver package puts them in', (t) => {
  const number = fc.integer({ min: 0, max: 3 });
  const pre = fc.constantFrom('', '', '-0', '-a', '-a.1', '-2', '-10');
  const versions = fc.tuple(number, number, number, pre).map(([a, b, c, d]) => `${a}.${b}.${c}${d}`);
  const partial = fc.oneof(
    versions,
    fc.tuple(number, number).map(([a, b]) => `${a}.${b}`),
    number.map(String),
    fc.constantFrom('1.x', '*', '2.1.x', 'x'),
  );
  const comparator = fc
    .tuple(fc.constantFrom('', '^', '~', '>', '>=', '<', '<=', '='), partial)
    .map((pair) => pair.join(''));
  const set = fc.oneof(
    fc.array(comparator, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(' ')),
    fc.tuple(partial, partial).map((pair) => pair.join(' - ')),
  );
  const ranges = fc.array(set, { minLength: 1, maxLength: 2 }).map((sets) => sets.join(' || '));
  const property = fc.property(versions, ranges, (one, range) => {
    assert.equal(isInRange(version(one), parseRange(range)), semver?.satisfies(one, range), `${one} in ${range}`);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 5000 }));
});
