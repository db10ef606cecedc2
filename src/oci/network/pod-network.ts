// A pod's place in a bridge network: addresses, namespaces, a cable to the bridge, published ports.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { bootId } from '../../linux/boot-id.ts';
import { isErrno } from '../../linux/errno.ts';
import { lock } from '../../linux/flock.ts';
import { parseAck, parseMessages } from '../../linux/netlink/message.ts';
import { runTape } from '../../linux/tape/run.ts';
import { OciError } from '../error.ts';
import { allocateAddress, releaseAddress } from './address-pool.ts';
import { gatewayAddress, type Network } from './network.ts';
import { podFilePaths, writePodFiles, type PodFiles } from './pod-files.ts';
import { decodeAcks, podNetworkMessages, type PodInterfaceAddress } from './pod-network-messages.ts';
import {
  HOST_NAMESPACE_FD,
  podNetworkRemovalTape,
  podNetworkTape,
  type PodNamespacePaths,
} from './pod-network-tape.ts';
import { addPorts, listPorts, removePorts } from './port-table.ts';
import { probePort } from './port-probe.ts';
import { findConflict, portElements, portText, takenPort, type PublishedPort } from './published-port.ts';
import { lockFile, readPodRecord, removePodRecord, writePodRecord, type PodRecord } from './record.ts';
import { podSysctls } from './sysctl.ts';
import type { Subnet } from './subnet.ts';

export type PodNetworkOptions = {
  readonly podUid: string;
  readonly network: Network;
  /** The pod's own directory, such as `/run/berth/pods/<uid>`: made when it is missing. */
  readonly runDirectory: string;
  readonly hostname: string;
  readonly ports: readonly PublishedPort[];
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
  const { podUid, network, runDirectory } = options;
  const sysctls = podSysctls(options.sysctls ?? {}, kernelHasIPv6() ? network.ipv6 !== undefined : undefined);
  const record = await reserve(options);
  try {
    const files = writePodFiles({ runDirectory, hostname: options.hostname, addresses: record });
    const paths = namespacePaths(runDirectory);
    for (const path of Object.values(paths)) writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    const messages = podNetworkMessages({
      ...network,
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
    await removePodNetwork({ podUid, network });
    throw failure(error, podUid, network);
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
    throw failure(error, podUid, network);
  }
  for (const path of Object.values(podFilePaths(record.runDirectory))) rmSync(path, { force: true });
  using _held = await lock(lockFile(network.directory));
  for (const address of [record.ipv4, record.ipv6]) {
    if (address !== undefined) releaseAddress(join(network.directory, 'addresses'), address);
  }
  removePodRecord(network.directory, podUid);
}

/** Where a pod's namespaces are pinned. */
export function namespacePaths(runDirectory: string): PodNamespacePaths {
  return { netns: join(runDirectory, 'netns'), ipcns: join(runDirectory, 'ipcns') };
}

/** Choose addresses and take ports. Nothing in here waits once the lock is held. */
async function reserve(options: PodNetworkOptions): Promise<PodRecord> {
  const { podUid, network, runDirectory, ports } = options;
  mkdirSync(runDirectory, { recursive: true, mode: 0o700 });
  using _held = await lock(lockFile(network.directory));
  if (readPodRecord(network.directory, podUid) !== undefined) {
    throw new OciError('NETWORK_CONFLICT', `Pod ${podUid} has a place in network '${network.name}' already`);
  }
  const directory = join(network.directory, 'addresses');
  const owner = { owner: podUid, bootId: bootId() };
  const taken: string[] = [];
  try {
    const ipv4 = allocateAddress({ directory, subnet: network.ipv4 }, owner);
    taken.push(ipv4);
    const ipv6 = network.ipv6 === undefined ? undefined : allocateAddress({ directory, subnet: network.ipv6 }, owner);
    if (ipv6 !== undefined) taken.push(ipv6);
    const hostLink = `bv${randomBytes(6).toString('hex')}`;
    const record: PodRecord = { podUid, bootId: owner.bootId, ipv4, ipv6, hostLink, runDirectory, ports };
    const elements = portElements(ports, record, podUid);
    if (elements.length > 0) checkPorts(network, elements.map(takenPort));
    writePodRecord(network.directory, record);
    addPorts(network.bridge, elements);
    return record;
  } catch (error) {
    removePodRecord(network.directory, podUid);
    for (const address of taken) releaseAddress(directory, address);
    throw failure(error, podUid, network);
  }
}

function checkPorts(network: Network, wanted: readonly ReturnType<typeof takenPort>[]): void {
  const conflict = findConflict(wanted, listPorts(network.bridge).map(takenPort));
  if (conflict !== undefined) {
    throw new OciError('PORT_IN_USE', `Cannot publish port ${portText(conflict)}: pod ${conflict.owner} has it`);
  }
  for (const port of wanted) probePort(port);
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

function failure(error: unknown, podUid: string, network: PodPlace['network']): OciError {
  if (error instanceof OciError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const hint = isErrno(error, 'EPERM') ? '; making networks needs CAP_NET_ADMIN and CAP_SYS_ADMIN' : '';
  const message = `Cannot give pod ${podUid} a place in network '${network.name}': ${reason}${hint}`;
  return new OciError('NETWORK_FAILED', message, { cause: error });
}
