// A bridge network from what was chosen about it: bridge, addresses, forwarding, packet filter, published ports.
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';

import { bootId } from '../../linux/boot-id.ts';
import { isErrno } from '../../linux/errno.ts';
import { lock } from '../../linux/flock.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../linux/netlink/netlink-socket.ts';
import { OciError } from '../error.ts';
import { collectAddresses } from './address-pool.ts';
import {
  bridgeAlias,
  checkBridgeOwner,
  ensureBridge,
  readNetworkFacts,
  plugPorts,
  removeUnknownPorts,
  routedSubnets,
  subnetOfBridge,
  uplinkMtu,
  type NetworkFacts,
} from './bridge.ts';
import { enableForwarding } from './forwarding.ts';
import type { Network, NetworkPlan } from './network.ts';
import { namespacePaths } from './pod-network.ts';
import { ensureTable } from './port-table.ts';
import { portElements } from './published-port.ts';
import {
  listPodRecords,
  lockFile,
  readNetworkRecord,
  removePodRecord,
  writeNetworkRecord,
  type NetworkRecord,
  type PodRecord,
} from './record.ts';
import { poolDirectory } from './reserve.ts';
import { chooseSubnet, formatSubnet, parseSubnet, type Subnet } from './subnet.ts';

/**
 * Make a network be there, whole: after a start of the agent, after `nft flush ruleset`, after a restart of the machine. What
 * is right stays untouched, and so do the pods. Throws OciError: NETWORK_INVALID, NETWORK_CONFLICT (the bridge's name is
 * taken, no subnet is free), NETWORK_FAILED with what the kernel said.
 */
export async function ensureNetwork(plan: NetworkPlan): Promise<Network> {
  mkdirSync(plan.directory, { recursive: true, mode: 0o700 });
  using _held = await lock(lockFile(plan.directory));
  try {
    const pods = livingPods(plan.directory);
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    const facts = readNetworkFacts(socket);
    const alias = bridgeAlias(plan.directory);
    checkBridgeOwner(facts, plan.bridge, alias);
    const subnets = chosenSubnets(plan, facts);
    writeIfChanged(plan.directory, subnets);
    const mtu = plan.mtu ?? uplinkMtu(facts);
    const bridgeIndex = ensureBridge(socket, facts, { bridge: plan.bridge, alias, mtu, ...subnets });
    plugPorts(socket, facts, bridgeIndex, pods);
    removeUnknownPorts(socket, facts, bridgeIndex, new Set(pods.map(({ hostLink }) => hostLink)));
    enableForwarding(plan.bridge, { ipv6: subnets.ipv6 !== undefined });
    const network = { name: plan.name, bridge: plan.bridge, bridgeIndex, directory: plan.directory, mtu, ...subnets };
    ensureTable(
      plan.bridge,
      network,
      pods.flatMap((pod) => portElements(pod.ports, pod, pod.podUid)),
    );
    return network;
  } catch (error) {
    throw networkFailure(error, plan.name);
  }
}

/** Forget pods of another boot, and addresses that no pod has. Returns the pods that are left. */
function livingPods(directory: string): PodRecord[] {
  const boot = bootId();
  const records = listPodRecords(directory);
  for (const { podUid, runDirectory } of records.filter((record) => record.bootId !== boot)) {
    for (const path of Object.values(namespacePaths(runDirectory))) rmSync(path, { force: true });
    removePodRecord(directory, podUid);
  }
  const pods = records.filter((record) => record.bootId === boot);
  const uids = new Set(pods.map(({ podUid }) => podUid));
  collectAddresses(poolDirectory({ directory }), boot, (owner) => uids.has(owner));
  return pods;
}

type Subnets = Pick<Network, 'ipv4' | 'ipv6'>;

/** What the bridge has, else what was chosen before, else something free. */
function chosenSubnets(plan: NetworkPlan, facts: NetworkFacts): Subnets {
  const record = readNetworkRecord(plan.directory);
  const index = facts.links.find(({ name }) => name === plan.bridge)?.index;
  const taken = routedSubnets(facts, index);
  const known =
    record === undefined
      ? []
      : [parseSubnet(record.ipv4)].filter((subnet) =>
          plan.ipv4Subnets.some((candidate) => formatSubnet(candidate) === formatSubnet(subnet)),
        );
  const ipv4 =
    (index === undefined ? undefined : subnetOfBridge(facts, index, plan.ipv4Subnets)) ??
    chooseSubnet([...known, ...plan.ipv4Subnets], taken);
  if (ipv4 === undefined) {
    const tried = plan.ipv4Subnets.map(formatSubnet).join(', ');
    throw new OciError(
      'NETWORK_CONFLICT',
      `No subnet is free for network '${plan.name}': this machine has routes into each of ${tried}`,
    );
  }
  return { ipv4, ipv6: chosenIPv6(plan, record, taken) };
}

function chosenIPv6(
  plan: NetworkPlan,
  record: NetworkRecord | undefined,
  taken: readonly Subnet[],
): Subnet | undefined {
  if (plan.ipv6 === undefined) return undefined;
  if (plan.ipv6 === 'random') return record?.ipv6 === undefined ? uniqueLocalSubnet() : parseSubnet(record.ipv6);
  const subnet = chooseSubnet([plan.ipv6], taken);
  if (subnet !== undefined) return subnet;
  throw new OciError(
    'NETWORK_CONFLICT',
    `Network '${plan.name}' cannot have ${formatSubnet(plan.ipv6)}: this machine has a route into it`,
  );
}

/** RFC 4193: fd, 40 random bits, subnet 0. */
function uniqueLocalSubnet(): Subnet {
  const id = randomBytes(5).toString('hex');
  return parseSubnet(`fd${id.slice(0, 2)}:${id.slice(2, 6)}:${id.slice(6)}::/64`);
}

function writeIfChanged(directory: string, { ipv4, ipv6 }: Subnets): void {
  const record = { ipv4: formatSubnet(ipv4), ipv6: ipv6 === undefined ? undefined : formatSubnet(ipv6) };
  const known = readNetworkRecord(directory);
  if (known?.ipv4 !== record.ipv4 || known.ipv6 !== record.ipv6) writeNetworkRecord(directory, record);
}

/** The error for people of what the kernel refused. */
export function networkFailure(error: unknown, name: string): unknown {
  if (error instanceof OciError || !(error instanceof Error)) return error;
  const hint = isErrno(error, 'EPERM', 'EACCES') ? '; making networks needs root (CAP_NET_ADMIN)' : '';
  return new OciError('NETWORK_FAILED', `Network '${name}': ${error.message}${hint}`, { cause: error });
}
