import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { parseDuration, parseTime } from '../../src/cli/time-option.ts';

const NOW = Date.parse('2026-01-02T12:00:00Z');

const cases: readonly (readonly [string, string])[] = [
  ['10m', '2026-01-02T11:50:00.000Z'],
  ['1h30m', '2026-01-02T10:30:00.000Z'],
  ['1.5h', '2026-01-02T10:30:00.000Z'],
  ['2d', '2025-12-31T12:00:00.000Z'],
  ['250ms', '2026-01-02T11:59:59.750Z'],
  ['0s', '2026-01-02T12:00:00.000Z'],
  ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02t03:04:05.678z', '2026-01-02T03:04:05.678Z'],
  ['2026-01-02T03:04:05+02:00', '2026-01-02T01:04:05.000Z'],
  ['2026-01-02 03:04:05Z', '2026-01-02T03:04:05.000Z'],
  ['1767355200', '2026-01-02T12:00:00.000Z'],
  ['1767355200.5', '2026-01-02T12:00:00.500Z'],
];

for (const [text, expected] of cases) {
  test(`'${text}' is ${expected}`, (t) => {
    t.is(new Date(parseTime(text, NOW) ?? NaN).toISOString(), expected);
  });
}

test('without an offset it is local time', (t) => {
  t.is(parseTime('2026-01-02', NOW), new Date(2026, 0, 2).getTime());
  t.is(parseTime('2026-01-02T03:04', NOW), new Date(2026, 0, 2, 3, 4).getTime());
});

for (const text of ['', '10', 'm', '10 m', '-5m', '10x', 'yesterday', '2026-13-01', '2026-01-02T25:00:00Z', '12:00']) {
  test(`'${text}' is no duration`, (t) => {
    t.is(parseDuration(text), undefined);
    if (text !== '10') t.is(parseTime(text, NOW), undefined);
  });
}

test('a duration is the sum of its parts, and any text is one or none', (t) => {
  const part = fc.tuple(fc.nat(1000), fc.constantFrom('ms', 's', 'm', 'h', 'd'));
  const ms = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), fc.string(), (parts, text) => {
        const sum = parts.reduce((total, [count, unit]) => total + count * ms[unit], 0);
        assert.equal(parseDuration(parts.map(([count, unit]) => `${count}${unit}`).join('')), sum);
        const time = parseTime(text, NOW);
        assert.ok(time === undefined || !Number.isNaN(time));
      }),
    ),
  );
});
