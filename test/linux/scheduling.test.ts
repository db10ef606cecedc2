import { assert, integer, property, uniqueArray } from 'fast-check';
import test from 'ava';

import { indexMask, ioprioValue, parseIndexList, schedAttrBytes } from '../../src/linux/scheduling.ts';

test('a list of processors is read as the kernel prints it', (t) => {
  t.deepEqual(parseIndexList('0-3,7'), [0, 1, 2, 3, 7]);
  t.deepEqual(parseIndexList('5,1,1-2'), [1, 2, 5]);
  for (const wrong of ['', 'a', '3-1', '1-', '-1', '1,,2', '0-99999', '1024']) {
    t.throws(() => parseIndexList(wrong), { instanceOf: RangeError }, wrong);
  }
});

test('every index has its bit, in whole words', (t) => {
  t.is(indexMask([0, 1, 8]).toString('hex'), '0301000000000000');
  t.is(indexMask([64]).length, 16);
  assert(
    property(uniqueArray(integer({ min: 0, max: 1023 }), { minLength: 1 }), (indexes) => {
      const mask = indexMask(indexes);
      const found = Array.from({ length: mask.length * 8 }, (_, index) => index).filter(
        (index) => ((mask[Math.floor(index / 8)] ?? 0) & (1 << (index % 8))) !== 0,
      );
      return found.join() === indexes.toSorted((a, b) => a - b).join();
    }),
  );
  t.pass();
});

test('struct sched_attr is 48 bytes, in the order of the man page', (t) => {
  const bytes = schedAttrBytes({ policy: 6, flags: 1, nice: -5, priority: 2, runtime: 10, deadline: 20, period: 30 });
  t.is(bytes.length, 48);
  t.deepEqual([bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readBigUInt64LE(8)], [48, 6, 1n]);
  t.deepEqual([bytes.readInt32LE(16), bytes.readUInt32LE(20)], [-5, 2]);
  t.deepEqual(
    [24, 32, 40].map((offset) => bytes.readBigUInt64LE(offset)),
    [10n, 20n, 30n],
  );
});

test('an I/O priority is a class and a level', (t) => {
  t.is(ioprioValue(2, 6), 0x4006);
});
