import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { attribute, textAttribute } from '../../../src/linux/netlink/attribute.ts';
import { encodeMessage, encodeRequest, parseAck, parseMessages, refusal } from '../../../src/linux/netlink/message.ts';

const NLMSG_ERROR = 2;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
const request = { type: 16, flags: 0, body: Buffer.alloc(16), what: 'create bridge berth0' };

function answer(errno: number, more: { flags?: number; repeated?: Buffer; text?: string } = {}): Buffer {
  const head = Buffer.alloc(20);
  head.writeInt32LE(-errno, 0);
  head.writeUInt32LE(16 + (more.repeated?.length ?? 0), 4);
  const words = more.text === undefined ? [] : [textAttribute(NLMSGERR_ATTR_MSG, more.text)];
  const flags = (more.flags ?? 0) | (words.length === 0 ? 0 : NLM_F_ACK_TLVS);
  const body = Buffer.concat([head, more.repeated ?? Buffer.alloc(0), ...words]);
  return encodeMessage({ type: NLMSG_ERROR, flags, sequence: 7, body });
}

function ackOf(bytes: Buffer) {
  const [message] = parseMessages(bytes);
  return message === undefined ? undefined : parseAck(message);
}

test('messages of one datagram come back in their order', (t) => {
  const message = fc
    .tuple(fc.nat(0xffff), fc.nat(0xffff), fc.nat(0xffffffff), fc.uint8Array({ maxLength: 50 }))
    .map(([type, flags, sequence, bytes]) => ({ type, flags, sequence, body: Buffer.from(bytes) }));
  const property = fc.property(fc.array(message), (messages) => {
    assert.deepEqual(parseMessages(Buffer.concat(messages.map(encodeMessage))), messages);
  });
  t.notThrows(() => fc.assert(property));
});

test('bytes from anywhere are messages or a RangeError, acks included', (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, asAck) => {
    const body = Buffer.from(bytes);
    try {
      const input = asAck ? encodeMessage({ type: NLMSG_ERROR, flags: NLM_F_ACK_TLVS, sequence: 1, body }) : body;
      parseMessages(input).map(parseAck);
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
    }
  });
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }));
});

test('an ack is the error 0', (t) => {
  t.deepEqual(ackOf(answer(0)), { sequence: 7, errno: 0, text: undefined });
});

test("the kernel's words are found behind a request that is repeated, and behind a capped one", (t) => {
  const text = 'Device name is taken';
  t.deepEqual(ackOf(answer(17, { repeated: Buffer.alloc(32), text })), { sequence: 7, errno: 17, text });
  t.deepEqual(ackOf(answer(17, { flags: NLM_F_CAPPED, text })), { sequence: 7, errno: 17, text });
});

test('a message of another kind is no ack', (t) => {
  t.is(ackOf(encodeMessage({ type: 16, flags: 0, sequence: 1, body: attribute(1, Buffer.alloc(3)) })), undefined);
});

test('a refusal tells what was tried, what came back and what the kernel says', (t) => {
  const error = refusal(request, { sequence: 1, errno: 17, text: 'Device name is taken' });
  t.is(error.message, 'netlink(create bridge berth0): EEXIST (Device name is taken)');
  t.is(error.code, 'EEXIST');
});

test('every request is marked as one', (t) => {
  t.is(encodeRequest(request, 3).readUInt16LE(6) & 1, 1);
  t.is(encodeRequest(request, 3).readUInt32LE(8), 3);
});
