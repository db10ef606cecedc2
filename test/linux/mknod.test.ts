import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { devMajor, devMinor, makedev } from '../../src/linux/mknod.ts';

test('a device number holds 32 bits of major and of minor', (t) => {
  const part = fc.nat(2 ** 32 - 1);
  t.notThrows(() =>
    fc.assert(
      fc.property(part, part, (major, minor) => {
        const device = makedev(major, minor);
        assert.deepEqual([devMajor(device), devMinor(device)], [major, minor]);
      }),
    ),
  );
});

test('small numbers are where they always were', (t) => {
  t.is(makedev(1, 3), 0x103n);
  // 259 is 0x103; 70,000 is 0x11170, of which all but the low byte lies above the major.
  t.is(makedev(259, 70_000), (0x111n << 20n) | (0x103n << 8n) | 0x70n);
});
