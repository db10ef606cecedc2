// Addresses of network devices: rtnetlink(7) RTM_*ADDR, struct ifaddrmsg, <linux/if_addr.h>.
import { isIPv4 } from 'node:net';

import { AF_INET, AF_INET6 } from '../socket.ts';
import { attribute, parseAttributes, u32Attribute } from './attribute.ts';
import { ipBytes, ipText } from './ip-address.ts';
import { NLM_F_CREATE, NLM_F_REPLACE, type Message, type Request } from './message.ts';

const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;
const IFA_RT_PRIORITY = 9;
/** No duplicate address detection: it would keep the address from use for a second or more. */
const IFA_F_NODAD = 0x02;
const IFA_F_PERMANENT = 0x80;
/** They say how an address is used; others, how it is now. */
const KEPT_FLAGS = 0x01 | 0x10 | 0x100 | 0x200 | 0x400; // secondary, home address, managed temporary, no prefix route, auto join
const RT_SCOPE_UNIVERSE = 0;
const IFADDR_SIZE = 8;

/** `address/prefixLength` on the device `index`. */
export type InterfaceAddress = {
  readonly index: number;
  readonly address: string;
  readonly prefixLength: number;
};

/** Add an address, or leave it when it is there already. Throws RangeError on what is no address or prefix length. */
export function addAddress({ index, address, prefixLength }: InterfaceAddress): Request {
  const bytes = ipBytes(address);
  checkPrefixLength(address, prefixLength);
  const header = Buffer.alloc(IFADDR_SIZE);
  header.writeUInt8(isIPv4(address) ? AF_INET : AF_INET6, 0);
  header.writeUInt8(prefixLength, 1);
  header.writeUInt32LE(index, 4);
  const more = isIPv4(address) ? broadcastAttribute(bytes, prefixLength) : [u32Attribute(IFA_FLAGS, IFA_F_NODAD)];
  return {
    type: RTM_NEWADDR,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    body: Buffer.concat([header, attribute(IFA_LOCAL, bytes), attribute(IFA_ADDRESS, bytes), ...more]),
    what: `add address ${address}/${prefixLength}`,
  };
}

/** All addresses of the namespace, one message each. */
export function listAddresses(): Request {
  return { type: RTM_GETADDR, flags: 0, body: Buffer.alloc(IFADDR_SIZE), what: 'list addresses' };
}

/** An RTM_NEWADDR message of IPv4 or IPv6; undefined for any other. Throws RangeError on one that is cut short. */
export function parseAddress({ type, body }: Message): InterfaceAddress | undefined {
  if (type !== RTM_NEWADDR) return undefined;
  if (body.length < IFADDR_SIZE) throw new RangeError(`Address message of ${body.length} bytes is cut short`);
  const family = body.readUInt8(0);
  const attributes = parseAttributes(body.subarray(IFADDR_SIZE));
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (bytes === undefined || (family !== AF_INET && family !== AF_INET6)) return undefined;
  return { index: body.readUInt32LE(4), address: ipText(bytes), prefixLength: body.readUInt8(1) };
}

/**
 * The request that gives another device the address of this RTM_NEWADDR message, as it is: with its peer, its broadcast address and its
 * metric. Undefined for another device's, and for what is not permanent or not of global scope.
 */
export function copyAddress(
  message: Message,
  { from, to }: { readonly from: number; readonly to: number },
): Request | undefined {
  const { type, body } = message;
  const address = parseAddress(message);
  if (type !== RTM_NEWADDR || address === undefined || address.index !== from) return undefined;
  const attributes = parseAttributes(body.subarray(IFADDR_SIZE));
  const flags = attributes.get(IFA_FLAGS)?.readUInt32LE() ?? body.readUInt8(2);
  if ((flags & IFA_F_PERMANENT) === 0 || body.readUInt8(3) !== RT_SCOPE_UNIVERSE) return undefined;
  const header = Buffer.from(body.subarray(0, IFADDR_SIZE));
  header.writeUInt8(0, 2);
  header.writeUInt32LE(to, 4);
  const kept = [IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST, IFA_RT_PRIORITY].flatMap((kind) => {
    const value = attributes.get(kind);
    return value === undefined ? [] : [attribute(kind, value)];
  });
  const noDetection = header.readUInt8(0) === AF_INET6 ? IFA_F_NODAD : 0;
  return {
    type: RTM_NEWADDR,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    body: Buffer.concat([header, ...kept, u32Attribute(IFA_FLAGS, (flags & KEPT_FLAGS) | noDetection)]),
    what: `add address ${address.address}/${address.prefixLength}`,
  };
}

/** Throws RangeError unless `prefixLength` fits the family of `address`. */
export function checkPrefixLength(address: string, prefixLength: number): void {
  const bits = isIPv4(address) ? 32 : 128;
  if (Number.isInteger(prefixLength) && prefixLength >= 0 && prefixLength <= bits) return;
  throw new RangeError(`'${address}/${prefixLength}': the prefix length is not from 0 to ${bits}`);
}

function broadcastAttribute(address: Buffer, prefixLength: number): Buffer[] {
  if (prefixLength > 30) return [];
  const hostBits = 2 ** (32 - prefixLength) - 1;
  const broadcast = Buffer.alloc(4);
  broadcast.writeUInt32BE((address.readUInt32BE() | hostBits) >>> 0);
  return [attribute(IFA_BROADCAST, broadcast)];
}
