// A netlink socket in a tape: opened, asked, answered. For namespaces that no thread of this process is in.
import { O_CLOEXEC } from '../at.ts';
import { AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW } from '../socket.ts';
import { bytes, result, value, type Argument, type Operation } from '../tape/operation.ts';
import { NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_ROUTE, SOL_NETLINK } from './netlink-socket.ts';

const cloexec = value(O_CLOEXEC, 'O_CLOEXEC');
const ONE = bytes(Buffer.from([1, 0, 0, 0]), '[1]');

/** A netlink socket of the namespace that the process is in now, at a number of its own. */
export function openSocket(at: Argument, name: string): Operation[] {
  const fd = result(name);
  const kind = value(SOCK_RAW | SOCK_CLOEXEC, 'SOCK_RAW|SOCK_CLOEXEC');
  return [
    {
      call: 'socket',
      args: [value(AF_NETLINK, 'AF_NETLINK'), kind, NETLINK_ROUTE],
      save: fd,
      what: `open the ${name}`,
    },
    { call: 'dup3', args: [fd, at, cloexec], what: `give the ${name} its number` },
    ...[NETLINK_CAP_ACK, NETLINK_EXT_ACK].map((option) => ({
      call: 'setsockopt',
      args: [at, value(SOL_NETLINK, 'SOL_NETLINK'), option, ONE, 4],
      what: `ask for answers in words on the ${name}`,
    })),
  ];
}

/** Send a message, and go on when it is on its way. */
export function send(socket: Argument, message: Buffer, what: string): Operation {
  return {
    call: 'sendto',
    args: [socket, bytes(message, `<${what}>`), message.length, 0, 0, 0],
    what: `ask for ${what}`,
  };
}

/** Read one answer to where it is kept, of at most `size` bytes. */
export function receive(socket: Argument, to: Argument, size: number, what: string): Operation {
  return { call: 'recvfrom', args: [socket, to, size, 0, 0, 0], what: `read the answer to '${what}'` };
}
