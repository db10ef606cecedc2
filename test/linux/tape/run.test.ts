import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { exitGroup, statusFd } from '../../../src/linux/tape/blocks.ts';
import { TapeError } from '../../../src/linux/tape/failure.ts';
import { bytes, result, stringVector, text, value } from '../../../src/linux/tape/operation.ts';
import { runTape } from '../../../src/linux/tape/run.ts';
import { helloTape, tapeOf } from './sample-tape.ts';

const argv = ['berth-test-tape'];
const atCwd = value(-100, 'AT_FDCWD');

test('a tape runs as a process of its own, and what it writes to its status pipe comes back', async (t) => {
  t.is(String(await runTape(helloTape('hello'), { argv })), 'hello');
});

test('a failed operation becomes an error that names it', async (t) => {
  const tape = tapeOf({ call: 'chdir', args: [text('/no/such/place')], what: 'enter /no/such/place' }, exitGroup(0));
  const error = await t.throwsAsync(runTape(tape, { argv }), { instanceOf: TapeError });
  t.is(error?.message, 'enter /no/such/place: ENOENT');
  t.is(error?.operation, 'chdir("/no/such/place")');
});

test('a tape that ends by itself with another code says so', async (t) => {
  await t.throwsAsync(runTape(tapeOf(exitGroup(5)), { argv }), { message: /ended with code 5/ });
});

test('a tape opens a file and writes to it through the saved descriptor', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-tape-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'file');
  const fd = result('file');
  await runTape(
    tapeOf(
      { call: 'openat', args: [atCwd, text(path), 0o2000101, 0o600], save: fd, what: `open ${path}` },
      { call: 'write', args: [fd, text('content'), 7], what: 'write to it' },
      exitGroup(0),
    ),
    { argv },
  );
  t.is(readFileSync(path, 'utf8'), 'content');
});

test('one call fills the bytes that a later one writes', async (t) => {
  const random = bytes(Buffer.alloc(32), '<random>');
  const output = await runTape(
    tapeOf(
      { call: 'getrandom', args: [random, 32, 0], what: 'fill' },
      { call: 'write', args: [statusFd, random, 32], what: 'report' },
      exitGroup(0),
    ),
    { argv },
  );
  t.is(output.length, 32);
  t.false(output.equals(Buffer.alloc(32)));
});

test('a tape has no environment, and no signal is blocked', async (t) => {
  const show = 'tr "\\0" "\\n" </proc/self/environ; grep -E "^SigBlk" /proc/self/status';
  const output = await runTape(
    tapeOf(
      { call: 'dup3', args: [statusFd, 1, 0], what: 'write to the status pipe' },
      {
        call: 'execve',
        args: [text('/bin/sh'), stringVector(['sh', '-c', show]), stringVector([])],
        what: 'run a shell',
      },
    ),
    { argv },
  );
  t.is(String(output), 'SigBlk:\t0000000000000000\n');
});

test.serial('nothing stays open in this process', async (t) => {
  await runTape(helloTape('warm up'), { argv });
  const before = readdirSync('/proc/self/fd').length;
  for (let round = 0; round < 5; round += 1) await runTape(helloTape('again'), { argv });
  t.is(readdirSync('/proc/self/fd').length, before);
});
