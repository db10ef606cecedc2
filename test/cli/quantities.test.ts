import * as fc from 'fast-check';
import test from 'ava';

import { oneLine, printable } from '../../src/cli/output/printable.ts';
import { formatAge, formatPercent, formatSize } from '../../src/cli/output/quantities.ts';
import { formatTable } from '../../src/cli/output/table.ts';

const SIZES = [
  [0, '0B'],
  [999, '999B'],
  [1000, '1kB'],
  [1234, '1.23kB'],
  [12_345, '12.3kB'],
  [999_499, '999kB'],
  [999_500, '1MB'],
  [1_500_000_000, '1.5GB'],
  [2e15, '2PB'],
] as const;

for (const [bytes, text] of SIZES) {
  test(`${bytes} bytes are ${text}`, (t) => {
    t.is(formatSize(bytes), text);
  });
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const AGES = [
  [-5, '0s'],
  [999, '0s'],
  [119 * SECOND, '119s'],
  [2 * MINUTE, '2m'],
  [2 * MINUTE + 30 * SECOND, '2m30s'],
  [59 * MINUTE + 59 * SECOND, '59m'],
  [3 * HOUR + 15 * MINUTE, '3h15m'],
  [30 * HOUR, '30h'],
  [3 * DAY + 4 * HOUR, '3d4h'],
  [40 * DAY, '40d'],
] as const;

for (const [ms, text] of AGES) {
  test(`${ms} ms ago is ${text}`, (t) => {
    t.is(formatAge(ms), text);
  });
}

test('a share is shown in percent of one processor', (t) => {
  t.is(formatPercent(0.1234), '12.3%');
  t.is(formatPercent(2), '200.0%');
});

test('sizes never take more than six characters', (t) => {
  t.notThrows(() =>
    fc.assert(fc.property(fc.double({ min: 0, max: 9e17, noNaN: true }), (n) => formatSize(n).length <= 6)),
  );
});

test('columns are as wide as their widest cell, and no line ends in blanks', (t) => {
  const text = formatTable(
    ['NAME', 'STATUS'],
    [
      ['a', 'running'],
      ['longer', ''],
    ],
  );
  t.is(text, 'NAME     STATUS\na        running\nlonger\n');
});

test('a table without rows is its heading', (t) => {
  t.is(formatTable(['A', 'B'], []), 'A   B\n');
});

test('text from elsewhere cannot drive the terminal', (t) => {
  t.is(printable('a\u001B[2Jb\u0007\u202Ec\td\n'), 'a?[2Jb??c\td\n');
  t.is(oneLine('a\n  b\r\nc'), 'a b c');
});
