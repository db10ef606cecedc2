import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import {
  addressProblem,
  configKeyProblem,
  labelNameProblem,
  labelValueProblem,
  portNameProblem,
  qualifiedNameProblem,
  subdomainProblem,
  variableNameProblem,
} from '../../../src/spec/schema/names.ts';

type Rule = (name: string) => string | undefined;

const rule = test.macro({
  title: (title) => title ?? '',
  exec: (t, problem: Rule, { good, bad }: { good: readonly string[]; bad: readonly string[] }) => {
    for (const name of good) t.is(problem(name), undefined, name);
    for (const name of bad) t.is(typeof problem(name), 'string', name);
  },
});

const L63 = 'a'.repeat(63);

test('DNS labels', rule, labelNameProblem, {
  good: ['a', '0', 'web-1', 'a--b', L63],
  bad: ['', `${L63}a`, 'A', 'a.b', '-a', 'a-', 'a_b', 'ä', 'a\n', '..', '/', 'a b'],
});
test('DNS subdomains', rule, subdomainProblem, {
  good: ['a', 'a.b', 'web-1.example.org', `${L63}.${L63}.${L63}`, 'a'.repeat(253)],
  bad: ['', '.', '..', 'a..b', '.a', 'a.', 'A', 'a/b', '../a', 'a'.repeat(254), 'a.-b'],
});
test('keys of labels', rule, qualifiedNameProblem, {
  good: ['app', 'App_1.x', 'example.org/app', 'Example.org/a', L63, `a.b/${L63}`],
  bad: ['', '/', 'a/', '/a', 'a/b/c', '-a', 'a-', 'a b', `${L63}a`, '_/a', 'ä'],
});
test('values of labels', rule, labelValueProblem, {
  good: ['', 'a', 'A.b_c-d', L63],
  bad: ['-a', 'a-', 'a b', `${L63}a`, 'a/b', 'a\n'],
});
test('keys of ConfigMaps', rule, configKeyProblem, {
  good: ['a', 'nginx.conf', '.dockerconfigjson', 'A_b-c', '-'],
  bad: ['', '.', '..', '..data', 'a/b', 'a b', '../a', 'a\0', 'a'.repeat(254)],
});
test('names of variables', rule, variableNameProblem, {
  good: ['A', 'a.b', 'PATH', '1', 'a b', '-'],
  bad: ['', '=', 'A=', 'ä', 'a\n', 'a\0', '\x7f'],
});
test('names of ports', rule, portNameProblem, {
  good: ['http', 'a', 'p-1', '8080a', 'a'.repeat(15)],
  bad: ['', '8080', 'Http', 'a--b', '-a', 'a-', 'a'.repeat(16), 'a.b'],
});
test('addresses', rule, addressProblem, {
  good: ['127.0.0.1', '0.0.0.0', '::', 'fe80::1', '::ffff:1.2.3.4'],
  bad: ['', 'localhost', '127.0.0.1:80', '1.2.3', 'fe80::1%eth0', '[::1]', '01.2.3.4'],
});

test('no accepted name can leave its directory or carry a control character', (t) => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.string({ unit: fc.constantFrom('a', '.', '-', '/', '..', '\0', '\n'), maxLength: 8 }),
  );
  const property = fc.property(
    name,
    fc.constantFrom(labelNameProblem, subdomainProblem, configKeyProblem, portNameProblem),
    (text, problem) => {
      if (problem(text) !== undefined) return;
      assert.match(text, /^[-._a-zA-Z0-9]+$/);
      assert(!text.startsWith('..') && text !== '.');
    },
  );
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
});
