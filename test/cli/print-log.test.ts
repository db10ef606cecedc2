import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { printLog, type LogRequest } from '../../src/cli/print-log.ts';
import type { Output } from '../../src/cli/output/output.ts';
import { punchHole } from '../../src/linux/fallocate.ts';
import { formatMarks, timesFile, type LogMark } from '../../src/oci/pod/log-times.ts';

const BEGIN = Date.parse('2026-01-02T03:00:00Z');
const MINUTE = 60_000;
const at = (minutes: number): number => BEGIN + minutes * MINUTE;

function logFile(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-print-log-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, '0.log');
}

/** Lines, each written at its minute and noted then. */
function write(path: string, lines: readonly (readonly [minute: number, text: string])[]): void {
  const marks: LogMark[] = [];
  writeFileSync(path, '');
  for (const [minute, text] of lines) {
    appendFileSync(path, text);
    marks.push({ end: statSync(path).size, time: at(minute), gap: false });
  }
  writeFileSync(timesFile(path), formatMarks(marks));
  const last = at(lines.at(-1)?.[0] ?? 0) / 1000;
  utimesSync(path, last, last);
}

async function printed(path: string, asked: Partial<LogRequest> = {}): Promise<string> {
  const chunks: Uint8Array[] = [];
  const output: Pick<Output, 'send' | 'note'> = {
    send: (bytes) => {
      chunks.push(Uint8Array.from(bytes));
      return Promise.resolve();
    },
    note: (text) => void chunks.push(Buffer.from(`(${text.slice(0, 24)})\n`)),
  };
  const request: LogRequest = {
    path,
    since: undefined,
    until: undefined,
    tail: undefined,
    timestamps: false,
    isWatched: () => true,
    hasEnded: undefined,
    ...asked,
  };
  await printLog(request, output as Output, new AbortController().signal);
  return Buffer.concat(chunks).toString();
}

const LINES = [
  [1, 'one\n'],
  [2, 'two\n'],
  [3, 'three, without'],
  [4, ' an end until now\n'],
  [5, 'four'],
] as const;

test('a line belongs to the time of its end, and is shown whole', async (t) => {
  const path = logFile(t);
  write(path, LINES);
  t.is(await printed(path), 'one\ntwo\nthree, without an end until now\nfour');
  t.is(await printed(path, { since: at(3.5) }), 'three, without an end until now\nfour');
  t.is(await printed(path, { since: at(4.5) }), 'four');
  t.is(await printed(path, { until: at(2.5) }), 'one\ntwo\n');
  t.is(await printed(path, { until: at(3.5) }), 'one\ntwo\n', 'the third had not ended');
  t.is(await printed(path, { since: at(1.5), until: at(4.5), tail: 1 }), 'three, without an end until now\n');
  t.is(await printed(path, { since: at(6) }), '');
  t.is(
    await printed(path, { since: at(2), timestamps: true, tail: 2 }),
    '2026-01-02T03:04:00.000Z three, without an end until now\n2026-01-02T03:05:00.000Z four',
  );
});

test('a log whose head was given back has its times still', async (t) => {
  const path = logFile(t);
  write(path, [
    [1, `${'x'.repeat(1023)}\n`.repeat(64)],
    [2, 'two\n'],
    [3, 'three\n'],
  ]);
  const fd = openSync(path, 'r+');
  punchHole(fd, 0, 60 * 1024);
  closeSync(fd);
  utimesSync(path, at(3) / 1000, at(3) / 1000);
  t.is((await printed(path)).length, 4 * 1024 + 10);
  t.is(
    await printed(path, { since: at(1.5), timestamps: true }),
    '2026-01-02T03:02:00.000Z two\n2026-01-02T03:03:00.000Z three\n',
  );
  t.is((await printed(path, { until: at(1.5) })).length, 4 * 1024);
});

test('what nobody noted is said to be vague, and only when it matters', async (t) => {
  const path = logFile(t);
  write(path, LINES);
  rmSync(timesFile(path));
  utimesSync(path, Date.now() / 1000 + 3600, Date.now() / 1000 + 3600);
  t.is(await printed(path, { tail: 1 }), 'four');
  t.regex(
    await printed(path, { tail: 1, timestamps: true, isWatched: () => false }),
    /^\(berth: No agent watched.*\)\n\S+Z four$/,
  );
});

test('following ends when the writer has, after its last words', async (t) => {
  const path = logFile(t);
  write(path, LINES);
  let looks = 0;
  const hasEnded = (): boolean => {
    looks += 1;
    if (looks === 2) appendFileSync(path, '\nlast words\n');
    return looks > 2;
  };
  t.is(await printed(path, { hasEnded, tail: 1 }), 'four\nlast words\n');
});
