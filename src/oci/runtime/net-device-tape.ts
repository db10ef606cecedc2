// What a network device gets in its new network namespace, as a tape: no thread of this process is ever in there.
import { CLONE_FLAGS } from '../../linux/namespace-flags.ts';
import { encodeRequest, NLM_F_ACK, type Request } from '../../linux/netlink/message.ts';
import { openSocket, receive, send } from '../../linux/netlink/tape-socket.ts';
import { exitGroup, failBlock, statusFd } from '../../linux/tape/blocks.ts';
import { bytes, inside, value, type Tape } from '../../linux/tape/operation.ts';
import { REPLY_SIZE } from '../network/pod-network-messages.ts';

/** Where the tape finds the network namespace. */
export const NETWORK_NAMESPACE_FD = 4;
const SOCKET = value(5, 'netlink socket');

/** Requests, one after the other; the answers, `REPLY_SIZE` bytes each, go to its status pipe. Pure. */
export function netDeviceTape(requests: readonly Request[]): Tape {
  const replies = bytes(Buffer.alloc(requests.length * REPLY_SIZE), '<replies>');
  const operations = [
    {
      call: 'setns',
      args: [value(NETWORK_NAMESPACE_FD, 'network namespace'), value(CLONE_FLAGS.CLONE_NEWNET, 'CLONE_NEWNET')],
      what: 'join the network namespace of the container',
    },
    ...openSocket(SOCKET, 'netlink socket'),
    ...requests.flatMap((request, index) => [
      send(SOCKET, encodeRequest({ ...request, flags: request.flags | NLM_F_ACK }, index + 1), request.what),
      receive(SOCKET, inside(replies, index * REPLY_SIZE), REPLY_SIZE, request.what),
    ]),
    { call: 'write', args: [statusFd, replies, replies.bytes.length], what: 'report the answers' },
    exitGroup(0),
  ];
  return { name: 'net-devices', blocks: [{ label: 'main', zone: 'parent', operations }, failBlock('parent')] };
}
