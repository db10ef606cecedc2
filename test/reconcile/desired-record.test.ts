import assert from 'node:assert';
import { mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';

import {
  decodeRecord,
  encodeRecord,
  readRecords,
  writeRecord,
  type DesiredRecord,
} from '../../src/reconcile/desired-record.ts';

async function temporary(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-record-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'desired');
}

function record(revision: string): DesiredRecord {
  const digests = { 'example.test/web:1': 'sha256:1' };
  return {
    format: 1,
    good: true,
    sources: [{ source: '/etc/berth', revision, files: [{ path: 'a.yaml', text: 'ä: "1"\n' }] }],
    resolutions: { 'Pod/default/web': { template: 't', digests } },
  };
}

test('a record is read as it was written, for its owner only', async (t) => {
  const directory = await temporary(t);
  await writeRecord(directory, record('a'), { keepCurrent: true });
  t.deepEqual(await readRecords(directory), { current: record('a'), previous: undefined, problems: [] });
  const { mode } = await stat(join(directory, 'current.json'));
  t.is(mode & 0o777, 0o600);
});

test('the record before it is kept when asked for', async (t) => {
  const directory = await temporary(t);
  for (const [revision, keepCurrent] of [
    ['a', true],
    ['b', true],
    ['c', false],
  ] as const) {
    await writeRecord(directory, record(revision), { keepCurrent });
  }
  const { current, previous } = await readRecords(directory);
  t.deepEqual([current, previous], [record('c'), record('a')]);
  t.deepEqual((await readdir(directory)).sort(), ['current.json', 'previous.json']);
});

test('at every point where the power may fail one record is whole', async (t) => {
  const directory = await temporary(t);
  await writeRecord(directory, record('a'), { keepCurrent: true });
  const fresh = encodeRecord(record('b'));
  for (const cut of [0, 1, fresh.length >> 1, fresh.length]) {
    await writeFile(join(directory, 'current.json.new'), fresh.slice(0, cut));
    t.deepEqual((await readRecords(directory)).current, record('a'));
  }
  await rename(join(directory, 'current.json'), join(directory, 'previous.json'));
  t.deepEqual(await readRecords(directory), { current: undefined, previous: record('a'), problems: [] });
});

test('a damaged record is reported and not used', async (t) => {
  const directory = await temporary(t);
  await writeRecord(directory, record('a'), { keepCurrent: true });
  await writeRecord(directory, record('b'), { keepCurrent: true });
  for (const damage of [
    '',
    '{}',
    'null',
    '{"crc32":"00000000","record":{}}',
    encodeRecord(record('b')).replace('"b"', '"c"'),
  ]) {
    await writeFile(join(directory, 'current.json'), damage);
    const { current, previous, problems } = await readRecords(directory);
    t.is(current, undefined, damage);
    t.deepEqual(previous, record('a'));
    t.is(problems.length, 1);
  }
});

test('a record of another format is refused', (t) => {
  const other = { ...record('a'), format: 2 } as unknown as DesiredRecord;
  t.throws(() => decodeRecord(encodeRecord(other)));
});

test('any record survives the way to disk and back, and any flipped bit is noticed', (t) => {
  const entry = fc.record({ path: fc.string(), text: fc.string() });
  const any = fc.record({
    format: fc.constant(1 as const),
    good: fc.boolean(),
    sources: fc.array(fc.record({ source: fc.string(), revision: fc.string(), files: fc.array(entry) }), {
      maxLength: 3,
    }),
    resolutions: fc.constant({}),
  });
  const property = fc.property(any, fc.nat(), fc.nat(7), (value, position, bit) => {
    const text = encodeRecord(value);
    assert.deepEqual(decodeRecord(text), value);
    const bytes = Buffer.from(text);
    const at = position % bytes.length;
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
    let read: DesiredRecord;
    try {
      read = decodeRecord(bytes.toString());
    } catch {
      return;
    }
    // White space between tokens may change without harm.
    assert.deepEqual(read, value);
  });
  t.notThrows(() => fc.assert(property));
});
