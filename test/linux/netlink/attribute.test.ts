import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import {
  attribute,
  nested,
  parseAttributeList,
  parseAttributes,
  readNested,
  readText,
  readU32,
  readU32be,
  textAttribute,
  u32Attribute,
  u32beAttribute,
  u8Attribute,
} from '../../../src/linux/netlink/attribute.ts';

test('attributes come back in their order, whatever their lengths', (t) => {
  const list = fc.array(fc.tuple(fc.integer({ min: 0, max: 0x3fff }), fc.uint8Array({ maxLength: 40 })));
  const property = fc.property(list, (attributes) => {
    const encoded = Buffer.concat(attributes.map(([type, value]) => attribute(type, value)));
    assert.equal(encoded.length % 4, 0);
    const decoded = parseAttributeList(encoded).map(([type, value]) => [type, new Uint8Array(value)]);
    assert.deepEqual(decoded, attributes);
  });
  t.notThrows(() => fc.assert(property));
});

test('numbers and strings come back as they were, nested ones too', (t) => {
  const property = fc.property(fc.nat(0xffffffff), fc.string(), (number, string) => {
    fc.pre(!string.includes('\0'));
    const inner = [u32Attribute(1, number), u32beAttribute(2, number), textAttribute(3, string)];
    const attributes = readNested(parseAttributes(nested(7, inner)), 7);
    assert.equal(readU32(attributes, 1), number);
    assert.equal(readU32be(attributes, 2), number);
    assert.equal(readText(attributes, 3), Buffer.from(string).toString());
    assert.equal(readU32(attributes, 4), undefined);
  });
  t.notThrows(() => fc.assert(property));
});

test('bytes from anywhere are attributes or a RangeError, and no value reaches beyond them', (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    try {
      const total = parseAttributeList(Buffer.from(bytes)).reduce((sum, [, value]) => sum + 4 + value.length, 0);
      assert.ok(total <= bytes.length);
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
    }
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
});

test('a value that does not fit 16 bits of length is an error, not a short length (CVE-2021-43784)', (t) => {
  t.notThrows(() => attribute(1, Buffer.alloc(65531)));
  t.throws(() => attribute(1, Buffer.alloc(65532)), { instanceOf: RangeError, message: /too long/ });
  t.throws(() => nested(1, [attribute(1, Buffer.alloc(65528))]), { instanceOf: RangeError });
  t.throws(() => textAttribute(1, 'x'.repeat(70000)), { instanceOf: RangeError });
});

test('a string with NUL in it is refused: the kernel would read a shorter one', (t) => {
  t.throws(() => textAttribute(1, 'berth0\0x'), { instanceOf: RangeError, message: /NUL/ });
});

test('a string longer than its field is refused, counted in bytes', (t) => {
  t.notThrows(() => textAttribute(3, 'x'.repeat(15), 15));
  t.throws(() => textAttribute(3, 'é'.repeat(8), 15), { instanceOf: RangeError });
});

for (const number of [-1, 2 ** 32, 1.5, Number.NaN]) {
  test(`${number} is no u32`, (t) => {
    t.throws(() => u32Attribute(1, number), { instanceOf: RangeError });
    t.throws(() => u32beAttribute(1, number), { instanceOf: RangeError });
  });
}

test('256 is no u8', (t) => {
  t.is(u8Attribute(1, 255)[4], 255);
  t.throws(() => u8Attribute(1, 256), { instanceOf: RangeError });
});

test('a u32 of another length is an error', (t) => {
  t.throws(() => readU32(parseAttributes(attribute(1, Buffer.alloc(2))), 1), { instanceOf: RangeError });
});
