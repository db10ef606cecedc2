import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { detachKeys } from '../../src/cli/detach-keys.ts';

const keys = fc.array(fc.constantFrom(0x10, 0x11, 0x61), { maxLength: 12 }).map((bytes) => Buffer.from(bytes));
const CTRL_P_Q = Buffer.of(0x10, 0x11);

test('ctrl-p ctrl-q leaves, and neither it nor what follows goes on', (t) => {
  const read = detachKeys();
  t.deepEqual(read(Buffer.from('ls\x10\x11exit')), { bytes: Buffer.from('ls'), detached: true });
});

test('a ctrl-p waits for the next key, and goes on before it', (t) => {
  const read = detachKeys();
  t.deepEqual(read(Buffer.of(0x10)), { bytes: Buffer.alloc(0), detached: false });
  t.deepEqual(read(Buffer.of(0x10)), { bytes: Buffer.of(0x10), detached: false });
  t.deepEqual(read(Buffer.from('a')), { bytes: Buffer.from('\x10a'), detached: false });
});

test('however keys are cut into chunks, the program gets the same ones', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 6 }), (chunks) => {
        const whole = Buffer.concat(chunks);
        const end = whole.indexOf(CTRL_P_Q);
        const read = detachKeys();
        const passed: Buffer[] = [];
        const left = chunks.some((chunk) => {
          const { bytes, detached } = read(chunk);
          passed.push(bytes);
          return detached;
        });
        const held = whole.at(-1) === 0x10 ? 1 : 0;
        assert.equal(left, end !== -1);
        assert.deepEqual(Buffer.concat(passed), whole.subarray(0, left ? end : whole.length - held));
      }),
    ),
  );
});
