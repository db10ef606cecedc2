import * as fc from 'fast-check';
import test from 'ava';

import { CommandFailure } from '../../src/cli/failure.ts';
import { parseArguments } from '../../src/cli/parse-arguments.ts';

const OPTIONS = {
  all: { type: 'boolean', short: 'a', help: '' },
  tty: { type: 'boolean', short: 't', help: '' },
  name: { type: 'string', short: 'n', value: 'NAME', help: '' },
  env: { type: 'string', short: 'e', multiple: true, help: '' },
} as const;

const hintOf = (error: CommandFailure): string => error.hint ?? '';

test('what is not said is false, undefined or an empty list', (t) => {
  const { values, args, rest } = parseArguments([], OPTIONS);
  t.deepEqual(values, { all: false, tty: false, name: undefined, env: [] });
  t.deepEqual([args, rest], [[], []]);
});

test('long and short options, joined and apart, in any order', (t) => {
  const { values, args } = parseArguments(['one', '-at', '--name=web', '-e', 'A=1', 'two', '--env', 'B=2'], OPTIONS);
  t.deepEqual(values, { all: true, tty: true, name: 'web', env: ['A=1', 'B=2'] });
  t.deepEqual(args, ['one', 'two']);
});

test('behind the arguments of a command that runs a program nothing is an option', (t) => {
  const { values, args, rest } = parseArguments(['-t', 'image', 'ls', '-a', '--name', 'x'], OPTIONS, {
    programAfter: 1,
  });
  t.deepEqual(values, { all: false, tty: true, name: undefined, env: [] });
  t.deepEqual(args, ['image']);
  t.deepEqual(rest, ['ls', '-a', '--name', 'x']);
});

test('a value is not taken for the argument that the program follows', (t) => {
  const { values, args, rest } = parseArguments(['-n', 'web', 'image', 'sh'], OPTIONS, { programAfter: 1 });
  t.is(values.name, 'web');
  t.deepEqual([args, rest], [['image'], ['sh']]);
});

test('-- between the arguments and the program is dropped, a later one is the program’s', (t) => {
  const parsed = parseArguments(['image', '--', 'sh', '--', 'x'], OPTIONS, { programAfter: 1 });
  t.deepEqual(parsed.rest, ['sh', '--', 'x']);
});

test('an unknown option is refused, with the nearest one', (t) => {
  const error = t.throws(() => parseArguments(['--nmae', 'x'], OPTIONS), { instanceOf: CommandFailure });
  t.is(error?.message, 'Unknown option --nmae');
  t.is(error === undefined ? '' : hintOf(error), 'Did you mean --name?');
  const far = t.throws(() => parseArguments(['--zzzzzz'], OPTIONS), { instanceOf: CommandFailure });
  t.is(far?.hint, undefined);
});

test('a value that is missing, and one that is too much, are refused', (t) => {
  t.throws(() => parseArguments(['--name'], OPTIONS), { message: '--name needs a value: --name NAME' });
  t.throws(() => parseArguments(['-e'], OPTIONS), { message: '-e needs a value: -e VALUE' });
  t.throws(() => parseArguments(['--all=yes'], OPTIONS), { message: "--all takes no value, but was given 'yes'" });
});

test('names of objects’ own properties are no options', (t) => {
  for (const name of ['--constructor', '--__proto__', '--toString', '--hasOwnProperty=1']) {
    t.throws(() => parseArguments([name], OPTIONS), { instanceOf: CommandFailure }, name);
  }
});

test('any command line is parsed or refused, and a program gets its words as they are', (t) => {
  const words = fc.array(fc.string());
  t.notThrows(() =>
    fc.assert(
      fc.property(words, words, (own, program) => {
        try {
          parseArguments(own, OPTIONS);
        } catch (error) {
          if (!(error instanceof CommandFailure)) throw error;
        }
        const { rest } = parseArguments(['image', 'sh', ...program], OPTIONS, { programAfter: 1 });
        return JSON.stringify(rest) === JSON.stringify(['sh', ...program]);
      }),
    ),
  );
});
