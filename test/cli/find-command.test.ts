import test from 'ava';

import { CATALOG } from '../../src/cli/catalog.ts';
import { CommandFailure } from '../../src/cli/failure.ts';
import { findCommand } from '../../src/cli/find-command.ts';
import { GLOBAL_OPTIONS } from '../../src/cli/globals.ts';
import { commandHelp, mainHelp } from '../../src/cli/help.ts';
import { assertGolden } from '../assert-golden.ts';

test('the command may stand before, between or behind global options', (t) => {
  for (const argv of [
    ['ps', '--root', '/x', '-a'],
    ['--root', '/x', 'ps', '-a'],
    ['--root=/x', 'ps', '-a'],
  ]) {
    const found = findCommand(argv, GLOBAL_OPTIONS);
    t.is(found?.entry.name, 'ps');
    t.deepEqual(
      found?.argv.filter((word) => word !== 'ps'),
      found?.argv,
    );
    t.is(found?.argv.at(-1), '-a');
  }
});

test('the value of a global option is no command', (t) => {
  t.is(findCommand(['--root', 'ps', 'images'], GLOBAL_OPTIONS)?.entry.name, 'images');
});

test('without a command there is none', (t) => {
  t.is(findCommand(['--help'], GLOBAL_OPTIONS), undefined);
  t.is(findCommand([], GLOBAL_OPTIONS), undefined);
});

test('an unknown command is refused, with the nearest one', (t) => {
  const near = t.throws(() => findCommand(['imgaes'], GLOBAL_OPTIONS), { instanceOf: CommandFailure });
  t.is(near?.hint, "Did you mean 'berth images'?");
  const far = t.throws(() => findCommand(['zzzzzz'], GLOBAL_OPTIONS), { instanceOf: CommandFailure });
  t.is(far?.hint, 'berth --help lists the commands');
});

test('the list of commands is the golden text', (t) => {
  assertGolden(t, 'cli/help.txt', mainHelp());
});

test('every command has usage, examples that begin with its name, and options with a help', async (t) => {
  for (const entry of CATALOG) {
    const { command } = await entry.load();
    const { usage, examples, options } = command;
    t.true(usage.length > 0 && usage.every((line) => line.startsWith(entry.name)), entry.name);
    t.true(examples.length > 0 && examples.every((line) => line.includes(`berth ${entry.name}`)), entry.name);
    for (const [name, { type, value, help }] of Object.entries(options)) {
      t.true(help.length > 5, `${entry.name} --${name}`);
      t.is(value !== undefined, type === 'string', `${entry.name} --${name} names its value`);
    }
  }
});

test('the help of every command fits a terminal of 120 columns', async (t) => {
  for (const entry of CATALOG) {
    const text = commandHelp(entry, (await entry.load()).command);
    const wide = text.split('\n').filter((line) => line.length > 120);
    t.deepEqual(wide, [], entry.name);
  }
});

test('no option of a command hides a global one, and no letter stands for two', async (t) => {
  for (const entry of CATALOG) {
    const { options } = (await entry.load()).command;
    for (const name of [...Object.keys(GLOBAL_OPTIONS), 'help', 'version'])
      t.false(name in options, `${entry.name} ${name}`);
    const letters = Object.values(options).flatMap(({ short }) => short ?? []);
    t.deepEqual([...new Set(letters)], letters, entry.name);
    t.false(letters.includes('h'), entry.name);
  }
});
