import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { CommandFailure } from '../../../src/cli/failure.ts';
import { parseFlags } from '../../../src/cli/oci/parse-flags.ts';

const OPTIONS = {
  root: { type: 'string', help: '' },
  env: { type: 'string', short: 'e', multiple: true, help: '' },
  detach: { type: 'boolean', short: 'd', help: '' },
} as const;

test('a flag is written with one dash or two, its value behind it or after a sign', (t) => {
  for (const words of [['--root', '/r'], ['-root', '/r'], ['--root=/r'], ['-root=/r']])
    t.is(parseFlags(words, OPTIONS).values.root, '/r', words.join(' '));
  t.deepEqual(parseFlags(['-e', 'A=1', '--env', 'B=2', '--env=C=3'], OPTIONS).values.env, ['A=1', 'B=2', 'C=3']);
});

test('a value may begin with a dash, or be empty', (t) => {
  t.is(parseFlags(['--root', '-1'], OPTIONS).values.root, '-1');
  t.is(parseFlags(['--root='], OPTIONS).values.root, '');
});

test('what is true or false may say so', (t) => {
  t.true(parseFlags(['-d'], OPTIONS).values.detach);
  t.true(parseFlags(['--detach=true'], OPTIONS).values.detach);
  t.false(parseFlags(['--detach=false'], OPTIONS).values.detach);
  t.throws(() => parseFlags(['--detach=maybe'], OPTIONS), { instanceOf: CommandFailure });
});

test('flags stand before, behind and between the arguments, or end at the first one', (t) => {
  t.deepEqual(parseFlags(['id', '-d', 'KILL', '--', '-x'], OPTIONS).args, ['id', 'KILL', '-x']);
  const { values, args } = parseFlags(['-d', 'id', 'sh', '-e', 'x'], OPTIONS, { flagsFirst: true });
  t.deepEqual(args, ['id', 'sh', '-e', 'x']);
  t.deepEqual(values.env, []);
  t.deepEqual(parseFlags(['-'], OPTIONS).args, ['-']);
});

test('a flag that nobody knows, or without its value, is refused', (t) => {
  t.throws(() => parseFlags(['--fly'], OPTIONS), { message: /flag provided but not defined: -fly/ });
  t.throws(() => parseFlags(['--root'], OPTIONS), { message: /needs an argument/ });
});

test('whatever the words are, they are taken or refused, and none is lost', (t) => {
  const words = fc.array(fc.oneof(fc.string(), fc.constantFrom('--root', '-e', '-d', '--', '-', '--env=x')));
  const property = fc.property(words, fc.boolean(), (argv, flagsFirst) => {
    try {
      const { args } = parseFlags(argv, OPTIONS, { flagsFirst });
      assert.ok(args.every((arg) => argv.includes(arg)));
    } catch (error) {
      assert.ok(error instanceof CommandFailure);
    }
  });
  t.notThrows(() => fc.assert(property));
});
