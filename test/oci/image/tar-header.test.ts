import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { isOciError } from '../../../src/oci/error.ts';
import { isZeroBlock, parseTarHeader } from '../../../src/oci/image/tar-header.ts';
import { headerBlock, withChecksum } from './tar-bytes.ts';

test('numbers are octal, or base 256 where that is too small, of either sign', (t) => {
  const size = fc.oneof(fc.nat(), fc.constantFrom(0, 8 ** 11 - 1, 8 ** 11, 2 ** 53 - 1));
  const mtime = fc.oneof(fc.integer(), fc.constantFrom(-1, -(2 ** 50), 2 ** 50));
  t.notThrows(() =>
    fc.assert(
      fc.property(size, mtime, fc.nat(2 ** 32 - 1), (sizeBytes, time, uid) => {
        const header = parseTarHeader(headerBlock({ name: 'x', mtime: time, uid }, sizeBytes), 0);
        assert.deepEqual([header.size, header.mtime, header.uid], [sizeBytes, time, uid]);
      }),
    ),
  );
});

test('a block anywhere in a buffer is read', (t) => {
  const bytes = Buffer.concat([Buffer.alloc(512, 0xff), headerBlock({ name: 'there' }, 7)]);
  t.like(parseTarHeader(bytes, 512), { name: 'there', size: 7 });
});

test('the prefix belongs to the name in ustar, half of it in star, and not in GNU or v7 tars', (t) => {
  const block = headerBlock({ name: 'name' }, 0);
  block.write('prefix', 345, 'latin1');
  const name = (change: (block: Buffer) => void): string => {
    const copy = Buffer.from(block);
    change(copy);
    return parseTarHeader(withChecksum(copy), 0).name;
  };
  t.is(
    name(() => undefined),
    'prefix/name',
  );
  t.is(
    name((copy) => copy.write('ustar  \0', 257, 'latin1')),
    'name',
  );
  t.is(
    name((copy) => copy.fill(0, 257, 265)),
    'name',
  );
  t.is(
    name((copy) => {
      copy.fill(0x61, 345, 500);
      copy.write('tar\0', 508, 'latin1');
    }),
    `${'a'.repeat(131)}/name`,
  );
});

test('old tars summed signed bytes', (t) => {
  const block = headerBlock({ name: 'n\xe4me' }, 0);
  const signed = block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : (byte << 24) >> 24), 0);
  block.write(`${signed.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  t.is(parseTarHeader(block, 0).name, 'n\xe4me');
});

test('every single changed byte outside the checksum is noticed', (t) => {
  const block = headerBlock({ name: 'file' }, 3);
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.nat(511), fc.integer({ min: 1, max: 255 }), (at, by) => {
        fc.pre(at < 148 || at >= 156);
        const copy = Buffer.from(block);
        copy[at] = ((copy[at] ?? 0) + by) % 256;
        assert.throws(
          () => parseTarHeader(copy, 0),
          (error) => isOciError(error, 'TAR_INVALID'),
        );
      }),
    ),
  );
});

test('a number with letters in it is refused', (t) => {
  const block = headerBlock({ name: 'x' }, 0);
  block.write('12x', 124, 'latin1');
  t.throws(() => parseTarHeader(withChecksum(block), 0), { code: 'TAR_INVALID', message: /size/ });
});

test('a block of zeros is told from one that is nearly so', (t) => {
  const block = Buffer.alloc(1024);
  t.true(isZeroBlock(block, 512));
  block[1023] = 1;
  t.false(isZeroBlock(block, 512));
  t.true(isZeroBlock(block, 0));
});
