// A bridge network: what may be chosen about it, and what was chosen. Several agents can have one each on one machine.
import { join } from 'node:path';

import { isLinkName } from '../../linux/netlink/link-name.ts';
import { OciError } from '../error.ts';
import { parseSubnet, subnetAddress, subnetSize, type Subnet } from './subnet.ts';

export type NetworkOptions = {
  /** The agent's state directory; the network keeps what it knows below `network/<name>`. */
  readonly stateDirectory: string;
  /** Default `default`. */
  readonly name?: string;
  /** Name of the bridge device and of the nf_tables table. Default `berth0`. */
  readonly bridge?: string;
  /** Subnets to choose from: the first that collides with no route of the machine. */
  readonly ipv4Subnets?: readonly string[];
  /** A /64 for the pods, or true for a random one of fd00::/8. Default: no IPv6. */
  readonly ipv6?: string | true;
  /** Default: that of the device of the default route, but not above 1500. */
  readonly mtu?: number;
};

/** Options with every default filled in and checked. */
export type NetworkPlan = {
  readonly name: string;
  readonly bridge: string;
  readonly stateDirectory: string;
  readonly directory: string;
  readonly ipv4Subnets: readonly Subnet[];
  readonly ipv6: Subnet | 'random' | undefined;
  readonly mtu: number | undefined;
};

/** A network that is there: see ensureNetwork. */
export type Network = {
  readonly name: string;
  /** Of the bridge device and of the nf_tables table. */
  readonly bridge: string;
  readonly bridgeIndex: number;
  /** Where it keeps records: `<state>/network/<name>`. */
  readonly directory: string;
  readonly ipv4: Subnet;
  readonly ipv6: Subnet | undefined;
  readonly mtu: number;
};

// Few routers at home, in offices and in clouds use these; Docker's and podman's first ones are left out.
const DEFAULT_SUBNETS = [88, 89, 90, 91, 188, 189, 190, 191].map((second) => `10.${second}.0.0/16`);
const LAST_SUBNETS = [31, 30, 29, 28].map((second) => `172.${second}.0.0/16`);
const MIN_MTU = 1280;
const MAX_MTU = 65535;

/** Throws OciError NETWORK_INVALID on a name, a subnet or an MTU that cannot be. */
export function planNetwork(options: NetworkOptions): NetworkPlan {
  const { stateDirectory, name = 'default', bridge = 'berth0', ipv6, mtu } = options;
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) throw invalid(`'${name}' is not a name for a network`);
  if (!isLinkName(bridge)) throw invalid(`'${bridge}' is not a name for a network device`);
  if (mtu !== undefined && !(Number.isInteger(mtu) && mtu >= MIN_MTU && mtu <= MAX_MTU)) {
    throw invalid(`MTU ${mtu} is not from ${MIN_MTU} to ${MAX_MTU}`);
  }
  return {
    name,
    bridge,
    stateDirectory,
    directory: join(stateDirectory, 'network', name),
    ipv4Subnets: (options.ipv4Subnets ?? [...DEFAULT_SUBNETS, ...LAST_SUBNETS]).map((text) => podSubnet(text, 4)),
    ipv6: ipv6 === true ? 'random' : ipv6 === undefined ? undefined : podSubnet(ipv6, 6),
    mtu,
  };
}

/** The bridge's own address: the first one behind the subnet's. */
export function gatewayAddress(subnet: Subnet): string {
  return subnetAddress(subnet, 1n);
}

/** A locally administered Ethernet address made of an IPv4 address: no two pods of a network have the same. */
export function macAddress(kind: 'pod' | 'port' | 'bridge', ipv4: string): string {
  const prefix = { pod: [0x02, 0xbe], port: [0x06, 0xbe], bridge: [0x0a, 0xbe] }[kind];
  const bytes = [...prefix, ...ipv4.split('.').map(Number)];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function podSubnet(text: string, family: 4 | 6): Subnet {
  const subnet = parsed(text);
  // The subnet's address, the gateway, the broadcast address and a pod.
  if (subnet.family !== family || subnetSize(subnet) < 4n)
    throw invalid(`'${text}' is not a subnet for IPv${family} pods`);
  return subnet;
}

function parsed(text: string): Subnet {
  try {
    return parseSubnet(text);
  } catch (error) {
    throw new OciError('NETWORK_INVALID', error instanceof Error ? error.message : text, { cause: error });
  }
}

function invalid(message: string): OciError {
  return new OciError('NETWORK_INVALID', message);
}
