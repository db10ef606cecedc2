import test from 'ava';

import {
  EXIT_FILE_SIZE,
  FAILURE_OFFSET,
  PID_OFFSET,
  STATUS_OFFSET,
  parseExitFile,
} from '../../../src/oci/runtime/exit-file.ts';

function exitFile(code: number, status: number): Buffer {
  const bytes = Buffer.alloc(EXIT_FILE_SIZE);
  bytes.writeBigUInt64LE(4711n, PID_OFFSET + 8);
  bytes.writeInt32LE(code, STATUS_OFFSET + 8);
  bytes.writeInt32LE(status, STATUS_OFFSET + 24);
  return bytes;
}

test('an exit by code and an end by signal are told apart', (t) => {
  t.deepEqual(parseExitFile(exitFile(1, 7)), {
    pid: 4711,
    failedErrno: undefined,
    status: { code: 7 },
    startTime: undefined,
  });
  t.deepEqual(parseExitFile(exitFile(2, 9)).status, { signal: 9 });
  t.deepEqual(parseExitFile(exitFile(3, 11)).status, { signal: 11 });
});

test('a file that is not whole has a pid and no status', (t) => {
  t.deepEqual(parseExitFile(exitFile(1, 0).subarray(0, 16)), {
    pid: 4711,
    failedErrno: undefined,
    status: undefined,
    startTime: undefined,
  });
  t.deepEqual(parseExitFile(exitFile(1, 0).subarray(0, EXIT_FILE_SIZE - 1)).status, undefined);
  t.deepEqual(parseExitFile(Buffer.alloc(0)), {
    pid: 0,
    failedErrno: undefined,
    status: undefined,
    startTime: undefined,
  });
});

test('a failure before the program ran is a positive errno', (t) => {
  const bytes = exitFile(1, 127);
  bytes.writeBigInt64LE(-2n, FAILURE_OFFSET + 8);
  t.is(parseExitFile(bytes).failedErrno, 2);
});
