// The addresses of Services: one each, of a subnet that no route of the machine leads into, kept over restarts of agent and machine.
import { NETLINK_ROUTE, NetlinkSocket } from '../../linux/netlink/netlink-socket.ts';
import { OciError } from '../error.ts';
import { allocateAddress, listAddresses, releaseAddress, type Allocation } from './address-pool.ts';
import { readNetworkFacts, routedSubnets } from './bridge.ts';
import { chooseSubnet, formatSubnet, offsetInSubnet, parseSubnet, type Subnet } from './subnet.ts';

export type ServiceAddresses = {
  readonly subnet: Subnet;
  /** By name. */
  readonly addresses: ReadonlyMap<string, string>;
};

// Where Kubernetes' own tools put them, and the next ones.
const SUBNETS = [96, 97, 98, 99].map((second) => parseSubnet(`10.${second}.0.0/16`));

/**
 * Give every Service of `names` its address: the one that it has, else the next. With `release` the addresses of all others
 * are given back. One process at a time. Throws OciError NETWORK_CONFLICT, ADDRESSES_EXHAUSTED.
 */
export function assignServiceAddresses(
  directory: string,
  names: readonly string[],
  { release }: { readonly release: boolean },
): ServiceAddresses {
  const known = listAddresses(directory).filter(({ owner }) => owner !== '');
  const subnet = subnetOf(known) ?? freeSubnet();
  const byOwner = new Map(known.map(({ owner, address }) => [owner, address]));
  const wanted = new Set(names);
  if (release) {
    for (const [owner, address] of byOwner) if (!wanted.has(owner)) releaseAddress(directory, address);
  }
  const owned = (owner: string): string =>
    byOwner.get(owner) ?? allocateAddress({ directory, subnet }, { owner, bootId: '' });
  return { subnet, addresses: new Map([...wanted].map((owner) => [owner, owned(owner)])) };
}

function subnetOf(known: readonly Allocation[]): Subnet | undefined {
  return SUBNETS.find((subnet) => known.some(({ address }) => offsetInSubnet(subnet, address) !== undefined));
}

function freeSubnet(): Subnet {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const subnet = chooseSubnet(SUBNETS, routedSubnets(readNetworkFacts(socket), undefined));
  if (subnet !== undefined) return subnet;
  const tried = SUBNETS.map(formatSubnet).join(', ');
  throw new OciError(
    'NETWORK_CONFLICT',
    `No subnet is free for Services: this machine has routes into each of ${tried}`,
  );
}
