import test from 'ava';

import { textAttribute } from '../../../src/linux/netlink/attribute.ts';
import { encodeMessage, parseMessages } from '../../../src/linux/netlink/message.ts';
import { printTape } from '../../../src/linux/tape/print.ts';
import { isOciError } from '../../../src/oci/error.ts';
import { decodeAcks, podNetworkMessages, REPLY_SIZE } from '../../../src/oci/network/pod-network-messages.ts';
import { HOST_NAMESPACE_FD, podNetworkRemovalTape, podNetworkTape } from '../../../src/oci/network/pod-network-tape.ts';
import { podSysctls } from '../../../src/oci/network/sysctl.ts';
import { assertGolden } from '../../assert-golden.ts';
import { printRequests } from '../../linux/netlink/print-request.ts';

const messages = podNetworkMessages({
  podUid: 'pod-a',
  ipv4: { address: '10.88.0.2', prefixLength: 16, gateway: '10.88.0.1' },
  ipv6: { address: 'fd00::2', prefixLength: 64, gateway: 'fd00::1' },
  mtu: 1500,
  hostLink: 'bv0123456789ab',
  bridgeIndex: 5,
  publishes: true,
  hostNamespaceFd: HOST_NAMESPACE_FD,
});
const paths = { netns: '/run/berth/pods/a/netns', ipcns: '/run/berth/pods/a/ipcns' };

/** The kernel's answers, an errno (and text) per step; undefined is no answer. */
function replies(verdicts: readonly (readonly [errno: number, text?: string] | undefined)[]): Buffer {
  return Buffer.concat(
    verdicts.map((verdict, index) => {
      const slot = Buffer.alloc(REPLY_SIZE);
      if (verdict === undefined) return slot;
      const [errno, text] = verdict;
      const head = Buffer.alloc(20);
      head.writeInt32LE(-errno, 0);
      head.writeUInt32LE(16, 4);
      const words = text === undefined ? [] : [textAttribute(1, text)];
      const flags = 0x100 | (words.length === 0 ? 0 : 0x200);
      encodeMessage({ type: 2, flags, sequence: index + 1, body: Buffer.concat([head, ...words]) }).copy(slot);
      return slot;
    }),
  );
}

test('the messages that make a pod network are these bytes', (t) => {
  assertGolden(t, 'network/pod-network.txt', printRequests(messages.steps));
});

test('every message asks for an ack, and all have different numbers', (t) => {
  const sent = messages.datagrams.flatMap(({ bytes }) => parseMessages(bytes));
  t.deepEqual(
    sent.map(({ sequence }) => sequence),
    messages.steps.map((_, index) => index + 1),
  );
  for (const { flags } of sent) t.is(flags & 5, 5);
});

test('the tape that makes a pod network is this one', (t) => {
  assertGolden(
    t,
    'network/pod-network-tape.txt',
    printTape(podNetworkTape({ messages, paths, sysctls: podSysctls({}, true) })),
  );
});

test('the tape that removes it is this one', (t) => {
  assertGolden(t, 'network/pod-network-removal-tape.txt', printTape(podNetworkRemovalTape('bv0123456789ab', paths)));
});

test('when every step was done, nothing is said', (t) => {
  t.notThrows(() => decodeAcks(replies(messages.steps.map(() => [0])), messages.steps));
});

test('the first step that was refused is named, with what the kernel said', (t) => {
  const verdicts = messages.steps.map((_, index) =>
    index === 1 ? ([22, 'Device is busy'] as const) : index > 1 ? ([19] as const) : ([0] as const),
  );
  const error = t.throws(() => decodeAcks(replies(verdicts), messages.steps));
  t.true(isOciError(error, 'NETWORK_FAILED'));
  t.is(error?.message, 'Cannot plug in link bv0123456789ab: EINVAL (Device is busy)');
});

test('a step without an answer is an error, not a success', (t) => {
  const verdicts = messages.steps.map((_, index) => (index === 4 ? undefined : ([0] as const)));
  t.throws(() => decodeAcks(replies(verdicts), messages.steps), { message: /no answer from the kernel/ });
  t.throws(() => decodeAcks(Buffer.alloc(0), messages.steps), { message: /no answer from the kernel/ });
});
