// IP subnets in CIDR notation, and arithmetic on their addresses.
import { isIPv4 } from 'node:net';

import { ipBytes, ipText } from '../../linux/netlink/ip-address.ts';

export type Subnet = {
  readonly family: 4 | 6;
  /** The lowest address, as a number. */
  readonly base: bigint;
  readonly prefixLength: number;
};

const BITS = { 4: 32, 6: 128 } as const;

/** `10.88.0.0/16`. Throws RangeError on anything else, also when bits are set behind the prefix. */
export function parseSubnet(text: string): Subnet {
  const [address = '', prefix = '', ...rest] = text.split('/');
  const value = ipNumber(address);
  const family = isIPv4(address) ? 4 : 6;
  const prefixLength = /^\d{1,3}$/.test(prefix) && rest.length === 0 ? Number(prefix) : Infinity;
  if (prefixLength > BITS[family]) throw new RangeError(`'${text}' is not a subnet: give it as address/prefix length`);
  const subnet = { family, base: value, prefixLength } as const;
  if (value % subnetSize(subnet) !== 0n)
    throw new RangeError(`'${text}' is not a subnet: it has bits set behind its prefix`);
  return subnet;
}

/** `10.88.0.0/16`, and for IPv6 the canonical form. */
export function formatSubnet(subnet: Subnet): string {
  return `${subnetAddress(subnet, 0n)}/${subnet.prefixLength}`;
}

/** How many addresses it has. */
export function subnetSize({ family, prefixLength }: Subnet): bigint {
  return 1n << BigInt(BITS[family] - prefixLength);
}

/** The address at `offset` from the lowest. Throws RangeError when it lies outside. */
export function subnetAddress(subnet: Subnet, offset: bigint): string {
  if (offset < 0n || offset >= subnetSize(subnet)) throw new RangeError(`Offset ${offset} lies outside the subnet`);
  const hex = (subnet.base + offset).toString(16).padStart(BITS[subnet.family] / 4, '0');
  return ipText(Buffer.from(hex, 'hex'));
}

/** How far `address` is from the lowest; undefined when it is not in the subnet. */
export function offsetInSubnet(subnet: Subnet, address: string): bigint | undefined {
  if ((isIPv4(address) ? 4 : 6) !== subnet.family) return undefined;
  const offset = ipNumber(address) - subnet.base;
  return offset >= 0n && offset < subnetSize(subnet) ? offset : undefined;
}

/** Whether they have an address in common. */
export function subnetsOverlap(a: Subnet, b: Subnet): boolean {
  if (a.family !== b.family) return false;
  return a.base < b.base + subnetSize(b) && b.base < a.base + subnetSize(a);
}

/** The first of `candidates` that has no address in common with any of `taken`. */
export function chooseSubnet(candidates: readonly Subnet[], taken: readonly Subnet[]): Subnet | undefined {
  return candidates.find((candidate) => !taken.some((other) => subnetsOverlap(candidate, other)));
}

/** The bits of the prefix as bytes: `255.255.0.0` for /16. */
export function subnetMask({ family, prefixLength }: Subnet): Buffer {
  const bits = BigInt(BITS[family]);
  const mask = ((1n << bits) - 1n) ^ ((1n << (bits - BigInt(prefixLength))) - 1n);
  return Buffer.from(mask.toString(16).padStart(BITS[family] / 4, '0'), 'hex');
}

function ipNumber(address: string): bigint {
  return BigInt(`0x${ipBytes(address).toString('hex')}`);
}
