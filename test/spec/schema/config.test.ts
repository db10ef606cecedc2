import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { decodeBase64 } from '../../../src/spec/schema/config.ts';

test('any bytes survive base64', (t) => {
  const property = fc.property(fc.uint8Array(), (bytes) => {
    assert.deepEqual(decodeBase64(Buffer.from(bytes).toString('base64')), bytes);
  });
  t.notThrows(() => fc.assert(property));
});

test('each value has exactly one text, but for a line break at its end', (t) => {
  const texts = fc.string({ unit: fc.constantFrom('A', 'B', '/', '+', '=', '-', '_', ' ', '\n', 'w'), maxLength: 12 });
  const property = fc.property(texts, (text) => {
    const bytes = decodeBase64(text);
    if (bytes !== undefined) assert.equal(Buffer.from(bytes).toString('base64'), text.replace(/\n$/, ''));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }));
});

test('loose base64 is refused', (t) => {
  for (const text of ['eA', 'eA=', 'eB==', 'e A=', 'eA==eA==', '-_8=', '====', 'eA==\n\n', ' eA==']) {
    t.is(decodeBase64(text), undefined, JSON.stringify(text));
  }
  t.deepEqual(decodeBase64(''), new Uint8Array());
  t.deepEqual(decodeBase64('eA==\n'), Uint8Array.of(0x78));
});
