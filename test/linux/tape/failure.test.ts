import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { assemble } from '../../../src/linux/tape/assemble.ts';
import { parseRecords, RECORD_SIZE, TapeError, tapeError } from '../../../src/linux/tape/failure.ts';
import { FIRST_OPERATION_ADDRESS } from '../../../src/linux/tape/machine-code.ts';
import { text, type Operation } from '../../../src/linux/tape/operation.ts';
import { tapeOf } from './sample-tape.ts';

function record(first: number, second: number): Buffer {
  const bytes = Buffer.alloc(RECORD_SIZE);
  bytes.writeBigUInt64LE(BigInt(first), 0);
  bytes.writeBigInt64LE(BigInt(second), 8);
  return bytes;
}

test('a record tells of a pid or of a failed operation', (t) => {
  t.deepEqual(parseRecords(Buffer.concat([record(0, 4711), record(0x411020, -2)])), [
    { kind: 'started', pid: 4711 },
    { kind: 'failed', address: 0x411020, errno: 2 },
  ]);
});

test('a record that is cut short is left out', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.equal(parseRecords(Buffer.from(bytes)).length, Math.floor(bytes.length / RECORD_SIZE));
      }),
    ),
  );
});

const mount: Operation = { call: 'mount', args: [text('proc'), text('/proc')], what: 'mount proc on /proc' };

test('a failure names what was tried and the errno, and keeps the call as strace prints it', (t) => {
  const error = tapeError(assemble(tapeOf(mount), 'x64'), { address: FIRST_OPERATION_ADDRESS, errno: 1 });
  t.is(error.message, 'mount proc on /proc: EPERM');
  t.is(error.code, 'EPERM');
  t.is(error.errno, -1);
  t.is(error.syscall, 'mount');
  t.is(error.operation, 'mount("proc", "/proc")');
});

test('an errno that misleads has a hint', (t) => {
  t.regex(new TapeError(mount, 28).message, /^mount proc on \/proc: ENOSPC \(the limit of mounts is reached/);
});

test('a record of another tape is refused', (t) => {
  t.throws(() => tapeError(assemble(tapeOf(mount), 'x64'), { address: 1, errno: 1 }), { instanceOf: RangeError });
});
