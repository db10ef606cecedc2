// A pod's place in a bridge network: addresses, namespaces, a cable to the bridge, published ports.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseAck, parseMessages } from '../../linux/netlink/message.ts';
import { runTape } from '../../linux/tape/run.ts';
import { OciError } from '../error.ts';
import { gatewayAddress, type Network } from './network.ts';
import type { HostAlias } from './hosts-file.ts';
import { podFilePaths, writePodFiles, type PodFiles } from './pod-files.ts';
import { decodeAcks, podNetworkMessages, type PodInterfaceAddress } from './pod-network-messages.ts';
import {
  HOST_NAMESPACE_FD,
  podNetworkRemovalTape,
  podNetworkTape,
  type PodNamespacePaths,
} from './pod-network-tape.ts';
import { removePorts } from './port-table.ts';
import type { PublishedPort } from './published-port.ts';
import type { PodDns } from './resolv-conf.ts';
import { readPodRecord, type PodRecord } from './record.ts';
import { podFailure, release, reserve } from './reserve.ts';
import { podSysctls } from './sysctl.ts';
import type { Subnet } from './subnet.ts';

export type PodNetworkOptions = {
  readonly podUid: string;
  readonly network: Network;
  /** The pod's own directory, such as `/run/berth/pods/<uid>`: made when it is missing. */
  readonly runDirectory: string;
  readonly hostname: string;
  readonly ports: readonly PublishedPort[];
  readonly aliases?: readonly HostAlias[] | undefined;
  readonly dns?: PodDns | undefined;
  /** Kernel parameters of the pod's namespaces. */
  readonly sysctls?: Readonly<Record<string, string>>;
};

/** Whose place, and in which network. */
export type PodPlace = {
  readonly podUid: string;
  readonly network: Pick<Network, 'name' | 'bridge' | 'directory'>;
};

export type PodNetwork = {
  readonly ipv4: string;
  readonly ipv6: string | undefined;
  readonly netnsPath: string;
  readonly ipcnsPath: string;
  readonly files: PodFiles;
};

/**
 * Give a pod its place. Leaves nothing behind when it fails. Throws OciError: NETWORK_INVALID, PORT_INVALID, PORT_IN_USE,
 * ADDRESSES_EXHAUSTED, NETWORK_CONFLICT when the pod has a place already, NETWORK_FAILED with what the kernel said.
 */
export async function createPodNetwork(options: PodNetworkOptions): Promise<PodNetwork> {
  const { podUid, network, runDirectory, hostname, aliases = [], dns } = options;
  const sysctls = podSysctls(options.sysctls ?? {}, kernelHasIPv6() ? network.ipv6 !== undefined : undefined);
  const { record, madeDirectory } = await reserve(options);
  try {
    const files = writePodFiles({ runDirectory, hostname, addresses: record, aliases, dns });
    const paths = namespacePaths(runDirectory);
    for (const path of Object.values(paths)) writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    const messages = podNetworkMessages({
      mtu: network.mtu,
      bridgeIndex: network.bridgeIndex,
      publishes: options.ports.length > 0,
      podUid,
      hostLink: record.hostLink,
      hostNamespaceFd: HOST_NAMESPACE_FD,
      ipv4: interfaceAddress(network.ipv4, record.ipv4),
      ipv6:
        network.ipv6 === undefined || record.ipv6 === undefined
          ? undefined
          : interfaceAddress(network.ipv6, record.ipv6),
    });
    const replies = await runTape(podNetworkTape({ messages, paths, sysctls }), { argv: ['berth-pod-network'] });
    decodeAcks(replies, messages.steps);
    return { ipv4: record.ipv4, ipv6: record.ipv6, netnsPath: paths.netns, ipcnsPath: paths.ipcns, files };
  } catch (error) {
    // What cannot be removed now keeps its record: removing it again, or removing the network, is possible later.
    await removePodNetwork({ podUid, network }).catch(() => undefined);
    if (madeDirectory) rmSync(runDirectory, { recursive: true, force: true });
    throw podFailure(error, podUid, network);
  }
}

/** Take back a pod's place: ports, cable, namespaces, files, addresses. Repeating it, or none being there, is fine. */
export async function removePodNetwork({ podUid, network }: PodPlace): Promise<void> {
  const record = readPodRecord(network.directory, podUid);
  if (record === undefined) return;
  try {
    removePorts(network.bridge, podUid);
    const paths = namespacePaths(record.runDirectory);
    const reply = await runTape(podNetworkRemovalTape(record.hostLink, paths), { argv: ['berth-pod-network'] });
    checkRemoval(reply, record);
  } catch (error) {
    throw podFailure(error, podUid, network);
  }
  for (const path of Object.values(podFilePaths(record.runDirectory))) rmSync(path, { force: true });
  await release(network.directory, record);
}

/** Where a pod's namespaces are pinned. */
export function namespacePaths(runDirectory: string): PodNamespacePaths {
  return { netns: join(runDirectory, 'netns'), ipcns: join(runDirectory, 'ipcns') };
}

function checkRemoval(reply: Buffer, record: PodRecord): void {
  const [message] = parseMessages(reply.subarray(0, reply.readUInt32LE(0)));
  const ack = message === undefined ? undefined : parseAck(message);
  const ENODEV = 19;
  if (ack?.errno === 0 || ack?.errno === ENODEV) return;
  throw new OciError(
    'NETWORK_FAILED',
    `Cannot delete link ${record.hostLink}: ${ack?.text ?? `error ${ack?.errno ?? '?'}`}`,
  );
}

function interfaceAddress(subnet: Subnet, address: string): PodInterfaceAddress {
  return { address, prefixLength: subnet.prefixLength, gateway: gatewayAddress(subnet) };
}

function kernelHasIPv6(): boolean {
  return existsSync('/proc/sys/net/ipv6');
}
