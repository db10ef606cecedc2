import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { parseQuantity, toMillis, toUnits } from '../../src/spec/quantity.ts';

const GIGA = 1_000_000_000n;

const reads = test.macro({
  title: (_title, text: string) => `'${text}' is read exactly`,
  exec: (t, text: string, nanos: bigint | undefined) => t.is(parseQuantity(text), nanos),
});

test(reads, '0', 0n);
test(reads, '1', GIGA);
test(reads, '500m', GIGA / 2n);
test(reads, '1.5', (3n * GIGA) / 2n);
test(reads, '.5', GIGA / 2n);
test(reads, '5.', 5n * GIGA);
test(reads, '+1', GIGA);
test(reads, '-1', -GIGA);
test(reads, '1n', 1n);
test(reads, '1u', 1000n);
test(reads, '1k', 1000n * GIGA);
test(reads, '1Ki', 1024n * GIGA);
test(reads, '0.5Ki', 512n * GIGA);
test(reads, '1E', 10n ** 18n * GIGA);
test(reads, '1Ei', 2n ** 60n * GIGA);
test(reads, '1E2', 100n * GIGA);
test(reads, '1e-3', GIGA / 1000n);
test(reads, '1e+2', 100n * GIGA);
test(reads, '9223372036854775807', 9_223_372_036_854_775_807n * GIGA);
// Finer than a billionth: rounded away from zero, as Kubernetes does.
test(reads, '0.1n', 1n);
test(reads, '1e-99', 1n);
for (const text of [
  '',
  '.',
  '-',
  'm',
  'Ki',
  '1K',
  '1ki',
  '1 Mi',
  ' 1',
  '1e',
  '1e100',
  '0x10',
  '1_000',
  '1.2.3',
  '1mi',
  '١',
]) {
  test(reads, text, undefined);
}
test('a quantity of endless digits is none', (t) => t.is(parseQuantity('1'.repeat(41)), undefined));

const SUFFIXES = [
  ['n', 1n],
  ['u', 10n ** 3n],
  ['m', 10n ** 6n],
  ['', 10n ** 9n],
  ['k', 10n ** 12n],
  ['M', 10n ** 15n],
  ['G', 10n ** 18n],
  ['Ki', 1024n * GIGA],
  ['Mi', 1024n ** 2n * GIGA],
  ['Gi', 1024n ** 3n * GIGA],
  ['e3', 10n ** 12n],
  ['E-3', 10n ** 6n],
] as const;

test('what is written with a suffix is read back as the same amount', (t) => {
  const amount = fc.record({
    digits: fc.bigInt({ min: 0n, max: 10n ** 15n }),
    suffix: fc.constantFrom(...SUFFIXES),
    sign: fc.constantFrom('', '+', '-'),
  });
  const property = fc.property(amount, ({ digits, suffix: [suffix, nanos], sign }) => {
    const expected = digits * nanos;
    assert.equal(parseQuantity(`${sign}${digits}${suffix}`), sign === '-' ? -expected : expected);
  });
  t.notThrows(() => fc.assert(property));
});

test('a decimal point moves nothing but the point', (t) => {
  const property = fc.property(fc.nat(), fc.nat({ max: 999 }), (whole, thousandths) => {
    const fraction = String(thousandths).padStart(3, '0');
    assert.equal(parseQuantity(`${whole}.${fraction}`), parseQuantity(`${whole}${fraction}m`));
  });
  t.notThrows(() => fc.assert(property));
});

test('any text is a quantity or not, without an exception', (t) => {
  const property = fc.property(fc.string(), (text) => {
    const nanos = parseQuantity(text);
    assert(nanos === undefined || typeof nanos === 'bigint');
  });
  t.notThrows(() => fc.assert(property));
});

test('units are whole and exact, or not given at all', (t) => {
  t.is(toMillis(1_500_000_000n), 1500);
  t.is(toMillis(1_500_000n), undefined);
  t.is(toUnits(3n * GIGA), 3);
  t.is(toUnits(GIGA / 2n), undefined);
  t.is(toUnits(2n ** 53n * GIGA), undefined);
  t.is(toUnits((2n ** 53n - 1n) * GIGA), Number.MAX_SAFE_INTEGER);
});
