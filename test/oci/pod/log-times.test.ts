import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import * as fc from 'fast-check';

import {
  appendMark,
  formatMarks,
  lastMark,
  parseMarks,
  readMarks,
  thinned,
  timesFile,
  type LogMark,
} from '../../../src/oci/pod/log-times.ts';

const mark = fc.record(
  {
    end: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    time: fc.integer({ min: 1, max: 8.64e15 }),
    gap: fc.boolean(),
  },
  { noNullPrototype: true },
);

const growing = fc
  .array(fc.record({ bytes: fc.integer({ min: 1, max: 100 }), ms: fc.nat(5000), gap: fc.boolean() }), { maxLength: 60 })
  .map((steps) => {
    const marks: LogMark[] = [];
    for (const { bytes, ms, gap } of steps) {
      const { end, time } = marks.at(-1) ?? { end: 0, time: 1_700_000_000_000 };
      marks.push({ end: end + bytes, time: time + ms, gap });
    }
    return marks;
  });

function temporary(t: { teardown: (f: () => void) => void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-log-times-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, '0.log');
}

test('marks are read back as they were written', (t) => {
  t.notThrows(() =>
    fc.assert(fc.property(fc.array(mark), (marks) => assert.deepEqual(parseMarks(formatMarks(marks)), marks))),
  );
});

test('any bytes are some marks or none', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) =>
        assert.equal(parseMarks(Buffer.from(bytes)).length, Math.floor(bytes.length / 16)),
      ),
    ),
  );
});

test('thinned out marks cover the same bytes, in order, and never say that one was written earlier than it was', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(growing, fc.nat(3000), fc.integer({ min: 1, max: 60 }), (marks, dataStart, most) => {
        const fewer = thinned(marks, dataStart, most);
        const there = marks.filter(({ end }) => end > dataStart);
        assert.ok(fewer.length <= there.length);
        if (there.length > most / 2 && there.length >= 4) assert.ok(fewer.length < there.length);
        assert.equal(fewer.at(-1)?.end, there.at(-1)?.end);
        for (const { end, time } of there) {
          const covering = fewer.find((one) => one.end >= end);
          assert.ok(covering !== undefined && covering.time >= time);
        }
      }),
    ),
  );
});

test('a mark that a power cut tore is cut off, and the next one is whole', (t) => {
  const log = temporary(t);
  t.is(lastMark(log), undefined);
  t.false(existsSync(timesFile(log)), 'asking writes nothing');
  appendMark(log, { end: 10, time: 1000, gap: false }, () => 0);
  appendFileSync(timesFile(log), 'torn');
  t.deepEqual(lastMark(log), { end: 10, time: 1000, gap: false });
  appendMark(log, { end: 20, time: 2000, gap: true }, () => 0);
  t.deepEqual(readMarks(log), [
    { end: 10, time: 1000, gap: false },
    { end: 20, time: 2000, gap: true },
  ]);
});

test('marks never take more than a mebibyte', (t) => {
  const log = temporary(t);
  const many = Array.from({ length: 65_536 }, (_, index) => ({ end: index + 1, time: 1000 + index, gap: false }));
  writeFileSync(timesFile(log), formatMarks(many));
  appendMark(log, { end: 70_000, time: 90_000, gap: false }, () => 60_000);
  t.is(statSync(timesFile(log)).size, (65_536 - 60_000 + 1) * 16);
  t.deepEqual(readMarks(log).at(-1), { end: 70_000, time: 90_000, gap: false });
});
