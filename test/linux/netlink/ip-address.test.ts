import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { ipBytes, ipText } from '../../../src/linux/netlink/ip-address.ts';

/** An independent opinion: WHATWG URL normalises IPv6 hosts by RFC 5952. */
function canonicalByUrl(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

test('every IPv4 address comes back from its bytes', (t) => {
  t.notThrows(() => fc.assert(fc.property(fc.ipV4(), (address) => assert.equal(ipText(ipBytes(address)), address))));
});

test('every IPv6 address is read as the URL parser reads it, and written in its canonical form', (t) => {
  const property = fc.property(fc.ipV6(), (address) => {
    assert.equal(ipText(ipBytes(address)), canonicalByUrl(address));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
});

test('long runs of zeros are shortened as the URL parser does', (t) => {
  const word = fc.constantFrom(0, 0, 0, 1, 0xffff);
  const property = fc.property(fc.array(word, { minLength: 8, maxLength: 8 }), (words) => {
    const address = words.map((value) => value.toString(16)).join(':');
    assert.equal(ipText(ipBytes(address)), canonicalByUrl(address));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
});

for (const address of [
  '',
  '10.0.0',
  '10.0.0.256',
  '010.0.0.1',
  '::1::',
  'fe80::1%eth0',
  'localhost',
  '1:2:3:4:5:6:7',
]) {
  test(`'${address}' is not an address`, (t) => {
    t.throws(() => ipBytes(address), { instanceOf: RangeError });
  });
}

test('five bytes are not an address', (t) => {
  t.throws(() => ipText(Buffer.alloc(5)), { instanceOf: RangeError });
});
