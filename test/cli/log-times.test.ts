import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { logTimes, type TimedLog } from '../../src/cli/log-times.ts';
import type { LogMark } from '../../src/oci/pod/log-times.ts';

const BIRTH = 1_700_000_000_000;
const base = { birth: BIRTH, isWatched: true } as const;

/** Bytes with the times at which they were really written, and marks as an agent that looks once a second makes them of them. */
const writtenLog = fc
  .array(fc.record({ ms: fc.nat(4000), bytes: fc.integer({ min: 1, max: 5 }), watched: fc.boolean() }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((writes) => {
    const written: number[] = [];
    const marks: LogMark[] = [];
    let now = BIRTH;
    let lastLook = -Infinity;
    let missed = false;
    for (const { ms, bytes, watched } of writes) {
      now += ms;
      for (let count = 0; count < bytes; count++) written.push(now);
      if (!watched) missed = true;
      else if (missed || now - lastLook >= 1000) {
        marks.push({ end: written.length, time: now, gap: missed });
        missed = false;
        lastLook = now;
      }
    }
    return { written, log: { ...base, isWatched: false, marks, size: written.length, lastWrite: now } };
  });

test('nothing written since then or until then is left out', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(writtenLog, fc.nat(60_000), ({ written, log }, after) => {
        const times = logTimes(log);
        const moment = BIRTH + after;
        const first = written.findIndex((time) => time >= moment);
        assert.ok(times.begin(moment) <= (first === -1 ? written.length : first));
        assert.ok(times.end(moment) >= written.findLastIndex((time) => time <= moment) + 1);
      }),
    ),
  );
});

test('no byte is said to be older than it is', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(writtenLog, ({ written, log }) => {
        const times = logTimes(log);
        for (const [offset, time] of written.entries()) assert.ok(times.at(offset) >= time);
      }),
    ),
  );
});

const hourly: TimedLog = {
  ...base,
  marks: [1, 2, 3].map((hour) => ({ end: hour * 10, time: BIRTH + hour * 3_600_000, gap: false })),
  size: 30,
  lastWrite: BIRTH + 3 * 3_600_000,
};

test('a line an hour is found by its hour', (t) => {
  const times = logTimes(hourly);
  t.is(times.begin(BIRTH + 1.5 * 3_600_000), 10);
  t.is(times.end(BIRTH + 1.5 * 3_600_000), 10);
  t.is(times.begin(BIRTH + 4 * 3_600_000), 30, 'nothing since');
  t.is(times.end(BIRTH), 0, 'nothing until');
  t.deepEqual(
    [0, 9, 10, 29].map(times.at),
    [1, 1, 2, 3].map((hour) => BIRTH + hour * 3_600_000),
  );
  t.false(times.isVague(0, 30));
});

test('what no agent saw may be of any time in between', (t) => {
  const times = logTimes({ ...hourly, marks: hourly.marks.map((mark) => ({ ...mark, gap: mark.end === 20 })) });
  t.is(times.end(BIRTH + 1.5 * 3_600_000), 20);
  t.true(times.isVague(0, 30));
  t.false(times.isVague(20, 30));
});

test('without a mark the file itself says when: between its birth and its last write', (t) => {
  const times = logTimes({ ...hourly, marks: [], isWatched: false });
  t.is(times.begin(BIRTH + 3_600_000), 0);
  t.is(times.begin(BIRTH + 3.1 * 3_600_000), 30);
  t.is(times.end(BIRTH - 1), 0);
  t.is(times.at(0), BIRTH + 3 * 3_600_000);
  t.true(times.isVague(0, 30));
});

test('what a watching agent has not noted yet was written just now', (t) => {
  const times = logTimes({ ...hourly, size: 35, lastWrite: BIRTH + 9 * 3_600_000 });
  t.is(times.end(BIRTH + 8 * 3_600_000), 30);
  t.is(times.at(31), BIRTH + 9 * 3_600_000);
  t.false(times.isVague(0, 35));
});
