import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import test from 'ava';

import { changed, copyRange, lineStart, tailOffset } from '../../src/cli/tail-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-tail-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));
const path = (name: string): string => join(directory, name);

async function tail(name: string, text: string, lines: number): Promise<string> {
  writeFileSync(path(name), text);
  await using file = await open(path(name));
  const chunks: Uint8Array[] = [];
  const begin = await tailOffset(file, lines);
  await copyRange(file, { begin, end: Infinity }, async (bytes) => void chunks.push(Uint8Array.from(bytes)));
  return Buffer.concat(chunks).toString();
}

test('the last lines are found, whether the last one is ended or not', async (t) => {
  t.is(await tail('a', 'one\ntwo\nthree\n', 2), 'two\nthree\n');
  t.is(await tail('a', 'one\ntwo\nthree', 2), 'two\nthree');
  t.is(await tail('a', 'one\n\n\n', 2), '\n\n');
});

test('more lines than there are is the whole file, none is nothing', async (t) => {
  t.is(await tail('b', 'one\ntwo\n', 10), 'one\ntwo\n');
  t.is(await tail('b', 'one\ntwo\n', 0), '');
  t.is(await tail('b', '', 3), '');
});

test('lines longer than a block are found', async (t) => {
  const long = 'x'.repeat(150_000);
  t.is(await tail('c', `first\n${long}\nlast\n`, 2), `${long}\nlast\n`);
});

test('any text has the last lines that splitting it finds', async (t) => {
  const lines = fc.array(fc.stringMatching(/^[a-c]{0,5}$/), { minLength: 1, maxLength: 10 });
  await t.notThrowsAsync(() =>
    fc.assert(
      fc.asyncProperty(lines, fc.integer({ min: 1, max: 12 }), async (all, count) => {
        const text = all.map((line) => `${line}\n`).join('');
        const expected = all.slice(-count).map((line) => `${line}\n`);
        return (await tail('d', text, count)) === expected.join('');
      }),
      { numRuns: 50 },
    ),
  );
});

test('within a range only its own lines count, and nothing outside of it is passed on', async (t) => {
  writeFileSync(path('range'), 'one\ntwo\nthree\nfour\n');
  await using file = await open(path('range'));
  const range = { begin: 4, end: 14 };
  t.is(await tailOffset(file, 1, range), 8);
  t.is(await tailOffset(file, 9, range), 4);
  t.is(await tailOffset(file, 0, range), 14);
  const sent: [string, number][] = [];
  await copyRange(file, range, async (bytes, offset) => void sent.push([bytes.toString(), offset]));
  t.deepEqual(sent, [['two\nthree\n', 4]]);
});

test('the line of any byte begins behind the newline before it', async (t) => {
  const text = `${'x'.repeat(150_000)}\nb\n\nlast`;
  writeFileSync(path('lines'), text);
  await using file = await open(path('lines'));
  for (const offset of [0, 1, 149_999, 150_000, 150_001, 150_002, 150_003, 150_004, text.length]) {
    t.is(await lineStart(file, offset), text.lastIndexOf('\n', offset - 1) + 1 || 0, `${offset}`);
  }
});

test('zeros where blocks were given back are left out', async (t) => {
  t.is(await tail('e', `${'\0'.repeat(200_000)}rest of a line\nwhole\n`, 100), 'rest of a line\nwhole\n');
});

test('a file that grows wakes the one who waits', async (t) => {
  writeFileSync(path('f'), 'one\n');
  await using file = await open(path('f'));
  const offset = await copyRange(file, { begin: 0, end: Infinity }, () => Promise.resolve());
  const waiting = changed(path('f'), new AbortController().signal);
  appendFileSync(path('f'), 'two\n');
  await waiting;
  t.is(await copyRange(file, { begin: offset, end: Infinity }, () => Promise.resolve()), offset + 4);
});

test('who waits is woken by the signal', async (t) => {
  writeFileSync(path('g'), '');
  const controller = new AbortController();
  const waiting = changed(path('g'), controller.signal);
  controller.abort();
  await t.notThrowsAsync(waiting);
});
