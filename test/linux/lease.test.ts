import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';

import test from 'ava';

import { isOpenForWriting } from '../../src/linux/lease.ts';

test('a file is open for writing from the open to the close of its writer', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-lease-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'file');
  closeSync(openSync(path, 'w'));
  const reader = openSync(path, 'r');
  t.teardown(() => closeSync(reader));
  t.false(isOpenForWriting(reader));
  const writer = openSync(path, 'a');
  const during = isOpenForWriting(reader);
  closeSync(writer);
  t.true(during);
  t.false(isOpenForWriting(reader));
});

test('what cannot be known is no writer', (t) => {
  t.false(isOpenForWriting(-1));
});

test('asking while somebody writes again and again ends neither side', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-lease-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'file');
  closeSync(openSync(path, 'w'));
  const reader = openSync(path, 'r');
  t.teardown(() => closeSync(reader));
  const writer = spawn('/bin/sh', [
    '-c',
    'i=0; while [ $i -lt 2000 ]; do echo x > "$0" || exit 1; i=$((i+1)); done',
    path,
  ]);
  const ended = once(writer, 'exit');
  while (writer.exitCode === null) {
    for (let count = 0; count < 200; count++) isOpenForWriting(reader);
    await turn();
  }
  t.is((await ended)[0], 0);
});
