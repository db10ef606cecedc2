import test from 'ava';
import * as fc from 'fast-check';

import { socketPaths } from '../../../src/linux/dbus/address.ts';
import { marshal } from '../../../src/linux/dbus/marshal.ts';
import { decodeMessage, encodeMessage, messageLength, type DbusMessage } from '../../../src/linux/dbus/message.ts';
import { alignmentOf, parseSignature } from '../../../src/linux/dbus/signature.ts';
import { unmarshal } from '../../../src/linux/dbus/unmarshal.ts';
import type { DbusValue } from '../../../src/linux/dbus/value.ts';

type Typed = { readonly signature: string; readonly value: DbusValue };

const text = fc.string().map((value) => value.replaceAll('\0', ''));

const BASIC: readonly fc.Arbitrary<Typed>[] = [
  fc.record({ signature: fc.constant('y'), value: fc.nat(255) }),
  fc.record({ signature: fc.constant('b'), value: fc.boolean() }),
  fc.record({ signature: fc.constant('n'), value: fc.integer({ min: -32_768, max: 32_767 }) }),
  fc.record({ signature: fc.constant('q'), value: fc.nat(65_535) }),
  fc.record({ signature: fc.constant('i'), value: fc.integer() }),
  fc.record({ signature: fc.constant('u'), value: fc.nat(4_294_967_295) }),
  fc.record({ signature: fc.constant('x'), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }),
  fc.record({ signature: fc.constant('t'), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ signature: fc.constant('d'), value: fc.double({ noNaN: true }) }),
  fc.record({ signature: fc.constantFrom('s', 'o'), value: text }),
  fc.record({ signature: fc.constant('g'), value: fc.constantFrom('', 'a{sv}', '(ii)') }),
];

const { typed } = fc.letrec<{ typed: Typed }>((tie) => ({
  typed: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    ...BASIC,
    tie('typed').map((value): Typed => ({ signature: 'v', value })),
    fc.tuple(tie('typed'), fc.nat(3)).map(([{ signature, value }, count]): Typed => ({
      signature: `a${signature}`,
      value: Array.from({ length: count }, () => value),
    })),
    fc.array(tie('typed'), { minLength: 1, maxLength: 4 }).map((fields): Typed => ({
      signature: `(${fields.map(({ signature }) => signature).join('')})`,
      value: fields.map(({ value }) => value),
    })),
    fc.tuple(fc.oneof(...BASIC), tie('typed'), fc.nat(2)).map(([key, { signature, value }, count]): Typed => ({
      signature: `a{${key.signature}${signature}}`,
      value: Array.from({ length: count }, () => [key.value, value]),
    })),
  ),
}));

const values = fc
  .array(typed, { maxLength: 5 })
  .filter((list) => list.map(({ signature }) => signature).join('').length < 200);

test('what is written is read again, for every type', (t) => {
  fc.assert(
    fc.property(values, (list) => {
      const signature = list.map((one) => one.signature).join('');
      const given = list.map(({ value }) => value);
      t.deepEqual(unmarshal(signature, marshal(signature, given)), given);
    }),
  );
});

const name = fc.stringMatching(/^[a-z]{1,12}$/);

const message: fc.Arbitrary<DbusMessage> = fc
  .tuple(
    fc.record(
      {
        path: name,
        interface: name,
        member: name,
        errorName: name,
        replySerial: fc.nat(99),
        destination: name,
        sender: name,
      },
      { requiredKeys: [] },
    ),
    fc.constantFrom('call', 'return', 'error', 'signal'),
    fc.integer({ min: 1, max: 4_294_967_295 }),
    values,
  )
  .map(([head, type, serial, list]) => ({
    ...head,
    type,
    serial,
    ...(list.length === 0 ? {} : { signature: list.map(({ signature }) => signature).join('') }),
    body: list.map(({ value }) => value),
  }));

test('a message says how long it is, and is read as it was written', (t) => {
  fc.assert(
    fc.property(message, fc.uint8Array(), (given, after) => {
      const bytes = encodeMessage(given);
      t.is(messageLength(Buffer.concat([bytes, after])), bytes.length);
      t.deepEqual(decodeMessage(bytes), given);
    }),
  );
});

test('bytes that are damaged are an error or other values, and never more', (t) => {
  fc.assert(
    fc.property(message, fc.nat(), fc.nat(255), (given, position, byte) => {
      const bytes = encodeMessage(given);
      bytes[position % bytes.length] = byte;
      try {
        decodeMessage(bytes);
      } catch (error) {
        t.true(error instanceof RangeError, String(error));
      }
    }),
  );
});

function hex(signature: string, ...given: DbusValue[]): string {
  return marshal(signature, given).toString('hex');
}

// As in the specification, "Marshaling Basic Types" and "Marshaling Containers".
test('the bytes are those of the specification', (t) => {
  t.is(hex('s', 'foo'), '03000000666f6f00');
  t.is(hex('sss', 'foo', '+', 'bar'), '03000000666f6f00010000002b0000000300000062617200');
  t.is(hex('ax', [5n]), '08000000000000000500000000000000');
  t.is(hex('ax', []), '0000000000000000');
  t.is(hex('v', { signature: 'u', value: 7 }), '0175000007000000');
  t.is(hex('g', 'ai'), '02616900');
});

test('signatures are parsed, and others refused', (t) => {
  t.is(parseSignature('ssa(sv)a(sa(sv))').length, 4);
  t.deepEqual(parseSignature('a{sv}y').map(alignmentOf), [4, 1]);
  for (const signature of ['a', '(', '()', '(s', 'a{s}', 'a{vs}', 'a{sss}', '{ss}', 'z', ')', 'a'.repeat(60) + 's'])
    t.throws(() => parseSignature(signature), { instanceOf: RangeError }, signature);
});

test('values of other types are refused', (t) => {
  for (const [signature, value] of [
    ['s', 1],
    ['u', '1'],
    ['u', -1],
    ['u', 1.5],
    ['t', 1],
    ['b', 0],
    ['as', 'x'],
    ['(ss)', ['x']],
    ['v', 'x'],
    ['s', 'a\0b'],
  ] as const)
    t.throws(() => marshal(signature, [value]), { instanceOf: RangeError }, signature);
});

test('an address names unix sockets; others are passed over', (t) => {
  t.deepEqual(socketPaths('unix:path=/run/dbus/system_bus_socket'), ['/run/dbus/system_bus_socket']);
  t.deepEqual(socketPaths('tcp:host=localhost,port=1;unix:abstract=/tmp/a%20b,guid=0'), ['\0/tmp/a b']);
  t.throws(() => socketPaths('tcp:host=localhost'), { instanceOf: RangeError });
  t.throws(() => socketPaths('unix:path=%zz'), { instanceOf: RangeError });
});
