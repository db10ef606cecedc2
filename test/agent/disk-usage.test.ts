import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { DiskUsage } from '../../src/agent/disk-usage.ts';

const MINUTE = 60_000;
const directory = mkdtempSync(join(tmpdir(), 'berth-usage-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

test('bytes are counted in the background, below directories too, and links are not followed', async (t) => {
  const path = join(directory, 'one');
  mkdirSync(join(path, 'deep'), { recursive: true });
  writeFileSync(join(path, 'deep', 'file'), Buffer.alloc(100_000, 1));
  symlinkSync('/', join(path, 'root'));
  const usage = new DiskUsage();
  t.is(usage.bytes(path, 0), undefined);
  await usage.settled();
  const bytes = usage.bytes(path, 1) ?? 0;
  t.true(bytes >= 100_000 && bytes < 1_000_000, String(bytes));
});

test('a number is kept for minutes, then counted again', async (t) => {
  const path = join(directory, 'two');
  mkdirSync(path);
  const usage = new DiskUsage();
  usage.bytes(path, 0);
  await usage.settled();
  const empty = usage.bytes(path, 1) ?? NaN;
  writeFileSync(join(path, 'file'), Buffer.alloc(50_000, 1));
  usage.bytes(path, MINUTE);
  await usage.settled();
  t.is(usage.bytes(path, MINUTE), empty);
  usage.bytes(path, 6 * MINUTE);
  await usage.settled();
  t.true((usage.bytes(path, 6 * MINUTE) ?? 0) >= empty + 50_000);
});

test('a directory that is gone has no number', async (t) => {
  const usage = new DiskUsage();
  usage.bytes(join(directory, 'missing'), 0);
  await usage.settled();
  t.is(usage.bytes(join(directory, 'missing'), 1), undefined);
});

test('a path that is not retained is forgotten', async (t) => {
  const path = join(directory, 'three');
  mkdirSync(path);
  const usage = new DiskUsage();
  usage.bytes(path, 0);
  await usage.settled();
  usage.retain(new Set());
  t.is(usage.bytes(path, 1), undefined);
  await usage.settled();
});
