// Ports of a bridge that give a pod its own packets back: what a Service makes of them may lead to the pod that sent them.
import { isErrno } from '../../linux/errno.ts';
import { setHairpin } from '../../linux/netlink/link.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../linux/netlink/netlink-socket.ts';
import { listPodRecords } from './record.ts';

/** Switch it on for the pods of a network that have one of these IPv4 addresses. A pod that is gone is left out. Throws SyscallError. */
export function enableHairpin(directory: string, addresses: ReadonlySet<string>): void {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  for (const { hostLink } of listPodRecords(directory).filter(({ ipv4 }) => addresses.has(ipv4))) {
    try {
      socket.request(setHairpin(hostLink));
    } catch (error) {
      if (!isErrno(error, 'ENODEV')) throw error;
    }
  }
}
