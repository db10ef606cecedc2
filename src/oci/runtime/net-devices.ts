// Network devices of the machine move into a container's network namespace (config-linux.md, "Network Devices"), before its hooks run:
// with their addresses that are permanent and of global scope, and up. What becomes of them afterwards is the kernel's: with the
// namespace devices of hardware come back, others go.
import { closeSync, openSync, readFileSync } from 'node:fs';

import { isErrno } from '../../linux/errno.ts';
import { copyAddress, listAddresses } from '../../linux/netlink/address.ts';
import { changeLink, getLink, moveLink, parseLink } from '../../linux/netlink/link.ts';
import type { Request } from '../../linux/netlink/message.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../linux/netlink/netlink-socket.ts';
import { runTape } from '../../linux/tape/run.ts';
import { OciError } from '../error.ts';
import { decodeAcks } from '../network/pod-network-messages.ts';
import type { Linux } from './config.ts';
import { isTemplate, netDeviceNames, type NetDeviceName } from './net-device-names.ts';
import { NETWORK_NAMESPACE_FD, netDeviceTape } from './net-device-tape.ts';

/** Far above what the kernel gives out itself. */
const FREE_INDEX = 0x4000_0000;

/**
 * Move them to the network namespace of the process `pid`. Everything is looked at before the first one moves. Rejects with OciError
 * CONFIG_INVALID when there is no such device or the name is taken, NETWORK_FAILED with what the kernel said.
 */
export async function moveNetDevices(pid: number, linux: Linux): Promise<void> {
  const names = netDeviceNames(linux);
  if (names.length === 0) return;
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const taken = deviceNames(readFileSync(`/proc/${pid}/net/dev`, 'utf8'));
  const devices = names.map((name) => ({ ...name, index: indexOf(socket, name, taken) }));
  const addresses = socket.dump(listAddresses());
  const namespace = openSync(`/proc/${pid}/ns/net`, 'r');
  try {
    const requests = devices.flatMap((device): Request[] => {
      const to = move(socket, device, namespace);
      const kept = addresses.flatMap((message) => copyAddress(message, { from: device.index, to }) ?? []);
      return [...kept, changeLink({ index: to, up: true })];
    });
    const tape = netDeviceTape(requests);
    const fds = [[namespace, NETWORK_NAMESPACE_FD]] as const;
    decodeAcks(await runTape(tape, { argv: ['berth-net-devices'], fds }), requests);
  } finally {
    closeSync(namespace);
  }
}

type Device = NetDeviceName & { readonly index: number };

/** The names in the text of /proc/net/dev. Pure. */
export function deviceNames(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^\s*(\S+):/gm)].map(([, name = '']) => name));
}

function indexOf(socket: NetlinkSocket, { from, to }: NetDeviceName, taken: ReadonlySet<string>): number {
  if (!isTemplate(to) && taken.has(to))
    throw new OciError('CONFIG_INVALID', `linux.netDevices: the container has a network device '${to}' already`);
  try {
    const link = socket.request(getLink(from)).map(parseLink)[0];
    if (link !== undefined) return link.index;
  } catch (error) {
    if (!isErrno(error, 'ENODEV')) throw error;
  }
  throw new OciError('CONFIG_INVALID', `linux.netDevices: the machine has no network device '${from}'`);
}

/** Its index inside: the one it has, or another where that is taken. */
function move(socket: NetlinkSocket, { from, to, index }: Device, namespaceFd: number): number {
  for (const newIndex of [index, FREE_INDEX + index]) {
    try {
      socket.request(moveLink({ index, newIndex, newName: to, namespaceFd }));
      return newIndex;
    } catch (error) {
      if (isErrno(error, 'EBUSY') && newIndex === index) continue;
      const reason = error instanceof Error ? error.message : String(error);
      throw new OciError('NETWORK_FAILED', `Cannot move network device '${from}' into the container: ${reason}`, {
        cause: error,
      });
    }
  }
  throw new OciError('NETWORK_FAILED', `Cannot move network device '${from}' into the container: no index is free`);
}
