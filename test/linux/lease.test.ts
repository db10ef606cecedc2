import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
