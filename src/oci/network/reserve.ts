// The first half of a pod's place in a network: addresses, ports and the record that says so, taken under the network's lock.
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { bootId } from '../../linux/boot-id.ts';
import { isErrno } from '../../linux/errno.ts';
import { lock } from '../../linux/flock.ts';
import { OciError } from '../error.ts';
import { allocateAddress, releaseAddress } from './address-pool.ts';
import type { Network } from './network.ts';
import { addPorts, listPorts } from './port-table.ts';
import { probePort } from './port-probe.ts';
import { findConflict, portElements, portText, takenPort, type PublishedPort } from './published-port.ts';
import { lockFile, readPodRecord, removePodRecord, writePodRecord, type PodRecord } from './record.ts';

export type Reservation = {
  readonly podUid: string;
  readonly network: Network;
  readonly runDirectory: string;
  readonly ports: readonly PublishedPort[];
};

export type Reserved = {
  readonly record: PodRecord;
  /** Whether the run directory was not there before. */
  readonly madeDirectory: boolean;
};

/**
 * Choose addresses and take ports, all or nothing. Throws OciError: NETWORK_INVALID, NETWORK_CONFLICT when the pod has a
 * place already, ADDRESSES_EXHAUSTED, PORT_INVALID, PORT_IN_USE, NETWORK_FAILED.
 */
export async function reserve({ podUid, network, runDirectory, ports }: Reservation): Promise<Reserved> {
  // Nothing waits once the lock is held: others in this process would else wait for their turn by the clock.
  using _held = await lock(lockFile(network.directory));
  if (readPodRecord(network.directory, podUid) !== undefined) {
    throw new OciError('NETWORK_CONFLICT', `Pod ${podUid} has a place in network '${network.name}' already`);
  }
  const addresses: string[] = [];
  const take = (subnet: Network['ipv4']): string => {
    const address = allocateAddress({ directory: poolDirectory(network), subnet }, { owner: podUid, bootId: bootId() });
    addresses.push(address);
    return address;
  };
  try {
    const ipv4 = take(network.ipv4);
    const ipv6 = network.ipv6 === undefined ? undefined : take(network.ipv6);
    const elements = portElements(ports, { ipv4, ipv6 }, podUid);
    if (elements.length > 0) checkPorts(network, elements.map(takenPort));
    const hostLink = `bv${randomBytes(6).toString('hex')}`;
    const record = { podUid, bootId: bootId(), ipv4, ipv6, hostLink, runDirectory, ports };
    writePodRecord(network.directory, record);
    addPorts(network.bridge, elements);
    return { record, madeDirectory: mkdirSync(runDirectory, { recursive: true, mode: 0o700 }) !== undefined };
  } catch (error) {
    removePodRecord(network.directory, podUid);
    for (const address of addresses) releaseAddress(poolDirectory(network), address);
    throw podFailure(error, podUid, network);
  }
}

/** Give addresses back and forget the pod: the last step of its removal. */
export async function release(directory: string, { podUid, ipv4, ipv6 }: PodRecord): Promise<void> {
  using _held = await lock(lockFile(directory));
  for (const address of ipv6 === undefined ? [ipv4] : [ipv4, ipv6])
    releaseAddress(poolDirectory({ directory }), address);
  removePodRecord(directory, podUid);
}

/** Where the address pools of a network are. */
export function poolDirectory({ directory }: Pick<Network, 'directory'>): string {
  return join(directory, 'addresses');
}

function checkPorts(network: Network, wanted: readonly ReturnType<typeof takenPort>[]): void {
  const conflict = findConflict(wanted, listPorts(network.bridge).map(takenPort));
  if (conflict !== undefined) {
    throw new OciError('PORT_IN_USE', `Cannot publish port ${portText(conflict)}: pod ${conflict.owner} has it`);
  }
  for (const port of wanted) probePort(port);
}

/** The error for people of what the kernel or the disk refused. */
export function podFailure(error: unknown, podUid: string, network: Pick<Network, 'name'>): OciError {
  if (error instanceof OciError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const hint = isErrno(error, 'EPERM') ? '; making networks needs CAP_NET_ADMIN and CAP_SYS_ADMIN' : '';
  const message = `Cannot give pod ${podUid} a place in network '${network.name}': ${reason}${hint}`;
  return new OciError('NETWORK_FAILED', message, { cause: error });
}
