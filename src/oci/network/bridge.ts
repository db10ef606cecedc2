// The bridge device of a network, with its addresses: what is there, and what is missing.
import { SyscallError } from '../../linux/errno.ts';
import { addAddress, listAddresses, parseAddress, type InterfaceAddress } from '../../linux/netlink/address.ts';
import {
  changeLink,
  createBridge,
  deleteLink,
  getLink,
  IFF_UP,
  listLinks,
  parseLink,
  type Link,
} from '../../linux/netlink/link.ts';
import type { NetlinkSocket } from '../../linux/netlink/netlink-socket.ts';
import { listRoutes, parseRoute, type Route } from '../../linux/netlink/route.ts';
import { OciError } from '../error.ts';
import { gatewayAddress, macAddress } from './network.ts';
import { offsetInSubnet, parseSubnet, type Subnet } from './subnet.ts';

/** What the network namespace of this process looks like. */
export type NetworkFacts = {
  readonly links: readonly Link[];
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly Route[];
};

export type BridgeConfig = {
  readonly bridge: string;
  /** Tells whose the bridge is: see bridgeAlias. */
  readonly alias: string;
  readonly ipv4: Subnet;
  readonly ipv6: Subnet | undefined;
  readonly mtu: number;
};

const DEFAULT_MTU = 1500;
const RT_TABLE_LOCAL = 255;

/** Ask the kernel for all of it. Throws SyscallError. */
export function readNetworkFacts(socket: NetlinkSocket): NetworkFacts {
  return {
    links: socket.dump(listLinks()).flatMap((message) => parseLink(message) ?? []),
    addresses: socket.dump(listAddresses()).flatMap((message) => parseAddress(message) ?? []),
    routes: socket.dump(listRoutes()).flatMap((message) => parseRoute(message) ?? []),
  };
}

/** Create what is missing of the bridge. Returns its index. Nothing is written when all is there. */
export function ensureBridge(socket: NetlinkSocket, facts: NetworkFacts, config: BridgeConfig): number {
  const existing = facts.links.find(({ name }) => name === config.bridge);
  const link = existing ?? createdBridge(socket, config);
  if (link.alias !== config.alias || (link.flags & IFF_UP) === 0) {
    socket.request(changeLink({ index: link.index, alias: config.alias, up: true }));
  }
  for (const subnet of config.ipv6 === undefined ? [config.ipv4] : [config.ipv4, config.ipv6]) {
    const address = gatewayAddress(subnet);
    const { prefixLength } = subnet;
    if (facts.addresses.some((other) => other.index === link.index && other.address === address)) continue;
    socket.request(addAddress({ index: link.index, address, prefixLength }));
  }
  return link.index;
}

/** Remove the bridge and the pods' cables on it. It need not be there; another's of that name stays. */
export function removeBridge(socket: NetlinkSocket, bridge: string, alias: string): void {
  const { links } = readNetworkFacts(socket);
  const own = links.find((link) => link.name === bridge && link.alias === alias);
  if (own === undefined) return;
  for (const port of links.filter(({ master, name }) => master === own.index && isPodPort(name)))
    deleteIfThere(socket, port.name);
  deleteIfThere(socket, bridge);
}

/** Plug the cables of pods back in that hang on no bridge: when a bridge is deleted its ports live on. */
export function plugPorts(
  socket: NetlinkSocket,
  facts: NetworkFacts,
  bridgeIndex: number,
  pods: readonly { readonly hostLink: string }[],
): void {
  const names = new Set(pods.map(({ hostLink }) => hostLink));
  for (const { name, index, master } of facts.links) {
    if (names.has(name) && master !== bridgeIndex) socket.request(changeLink({ index, master: bridgeIndex, up: true }));
  }
}

/** Delete cables on the bridge that berth made and no pod has. Returns their names. */
export function removeUnknownPorts(
  socket: NetlinkSocket,
  facts: NetworkFacts,
  bridgeIndex: number,
  known: ReadonlySet<string>,
): string[] {
  const unknown = facts.links.filter(
    (link) => link.master === bridgeIndex && isPodPort(link.name) && !known.has(link.name),
  );
  for (const { name } of unknown) deleteIfThere(socket, name);
  return unknown.map(({ name }) => name);
}

/** Whether `createPodNetwork` gives names like this one. */
export function isPodPort(name: string): boolean {
  return /^bv[0-9a-f]{12}$/.test(name);
}

/** What the bridge says about its owner (`ip -d link`): at most 255 bytes. */
export function bridgeAlias(directory: string): string {
  return `berth ${directory}`.slice(-255);
}

/** Throws OciError NETWORK_CONFLICT when a device of that name is another's: never take over what somebody else made. */
export function checkBridgeOwner(facts: NetworkFacts, bridge: string, alias: string): void {
  const link = facts.links.find(({ name }) => name === bridge);
  if (link === undefined || (link.kind === 'bridge' && link.alias === alias)) return;
  const used =
    facts.links.some(({ master }) => master === link.index) ||
    facts.addresses.some(({ index, address }) => index === link.index && !address.startsWith('fe80:'));
  // Made by an agent that was killed before it could sign it.
  if (link.kind === 'bridge' && link.alias === undefined && !used) return;
  const owner =
    link.alias?.startsWith('berth ') === true ? `belongs to another agent: '${link.alias}'` : 'was not made by berth';
  throw new OciError('NETWORK_CONFLICT', `Cannot use bridge ${bridge}: that device ${owner}; choose another name`);
}

/** Every subnet that the machine has a route to, but for its default route and those over the bridge itself. */
export function routedSubnets({ routes }: NetworkFacts, bridgeIndex: number | undefined): Subnet[] {
  return routes.flatMap(({ destination, prefixLength, index, table }) => {
    const own = bridgeIndex !== undefined && index === bridgeIndex;
    if (destination === undefined || own || table === RT_TABLE_LOCAL) return [];
    return [parseSubnet(`${destination}/${prefixLength}`)];
  });
}

/** The subnet among `candidates` that the bridge has an address of. */
export function subnetOfBridge(
  facts: NetworkFacts,
  bridgeIndex: number,
  candidates: readonly Subnet[],
): Subnet | undefined {
  const own = facts.addresses.filter(({ index }) => index === bridgeIndex);
  return candidates.find((subnet) =>
    own.some(
      ({ address, prefixLength }) => prefixLength === subnet.prefixLength && offsetInSubnet(subnet, address) === 1n,
    ),
  );
}

/** The MTU towards the world, where that is less than Ethernet's: tunnels, clouds. */
export function uplinkMtu({ routes, links }: NetworkFacts): number {
  const uplinks = new Set(
    routes
      .filter(({ destination, index }) => destination === undefined && index !== undefined)
      .map(({ index }) => index),
  );
  const mtus = links.flatMap(({ index, mtu }) => (uplinks.has(index) && mtu !== undefined ? [mtu] : []));
  return Math.min(DEFAULT_MTU, ...mtus);
}

function createdBridge(socket: NetlinkSocket, { bridge, ipv4, mtu }: BridgeConfig): Link {
  // An address of its own: else it takes the lowest of its ports', and changes with them.
  socket.request(createBridge({ name: bridge, mac: macAddress('bridge', gatewayAddress(ipv4)), mtu }));
  const link = socket.request(getLink(bridge)).map(parseLink)[0];
  if (link === undefined) throw new OciError('NETWORK_FAILED', `Bridge ${bridge} is not there after it was created`);
  return link;
}

function deleteIfThere(socket: NetlinkSocket, name: string): void {
  try {
    socket.request(deleteLink(name));
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== 'ENODEV') throw error;
  }
}
