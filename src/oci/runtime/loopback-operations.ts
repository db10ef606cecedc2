// The loopback device of a new network namespace is down: netdevice(7), SIOCSIFFLAGS.
import { bytes, result, value, type Operation } from '../../linux/tape/operation.ts';

/** Bring it up, in the network namespace that the tape is in. */
export function loopbackOperations(): Operation[] {
  const socket = result('loopback socket');
  const request = Buffer.alloc(40);
  request.write('lo');
  request.writeUInt16LE(0x41, 16); // IFF_UP|IFF_RUNNING
  return [
    {
      call: 'socket',
      args: [value(2, 'AF_INET'), value(0o2000002, 'SOCK_DGRAM|SOCK_CLOEXEC'), 0],
      save: socket,
      what: 'open a socket',
    },
    {
      call: 'ioctl',
      args: [socket, value(0x8914, 'SIOCSIFFLAGS'), bytes(request, '{lo, IFF_UP|IFF_RUNNING}')],
      what: 'bring the loopback up',
    },
  ];
}
