import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { requestFrame, responseStatus, statusName } from '../../../src/agent/probe/grpc-health-message.ts';

test('a request is a frame with the name of the service, and empty for the server as a whole', (t) => {
  t.is(requestFrame('').toString('hex'), '0000000000');
  t.is(requestFrame('store').toString('hex'), '00000000070a0573746f7265');
  const long = requestFrame('x'.repeat(300));
  t.is(long.subarray(0, 8).toString('hex'), '000000012f0aac02');
  t.is(long.length, 5 + 303);
});

const ANSWERS = [
  ['00000000020801', 1],
  ['00000000020802', 2],
  ['0000000000', 0],
  // An unknown string, a fixed64 and a fixed32 before it.
  ['0000000015120361626319010203040506070825010203040801', 1],
  // The last one wins; bytes after the frame do not count.
  ['00000000040801080299', 2],
] as const;

for (const [hex, status] of ANSWERS) {
  test(`${hex} says ${statusName(status)}`, (t) => {
    t.is(responseStatus(Buffer.from(hex, 'hex')), status);
  });
}

for (const hex of [
  '',
  '00',
  '01000000020801',
  '000000000308',
  '00000000010a',
  '0000000002080b'.slice(0, 12),
  '000000000108',
]) {
  test(`'${hex}' is no answer`, (t) => {
    t.is(responseStatus(Buffer.from(hex, 'hex')), undefined);
  });
}

test('any bytes are an answer or none', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (body) => {
        const head = Buffer.alloc(5);
        head.writeUInt32BE(body.length, 1);
        const status = responseStatus(Buffer.concat([head, body]));
        assert.ok(status === undefined || status >= 0);
        responseStatus(Buffer.from(body));
      }),
      { numRuns: 1000 },
    ),
  );
});
