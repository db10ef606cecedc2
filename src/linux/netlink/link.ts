// Network devices: rtnetlink(7) RTM_*LINK, struct ifinfomsg, <linux/if_link.h>.
import {
  attribute,
  nested,
  parseAttributes,
  readNested,
  readText,
  readU32,
  textAttribute,
  u32Attribute,
  u8Attribute,
} from './attribute.ts';
import { IFNAMSIZ, isLinkName } from './link-name.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Message, type Request } from './message.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_NET_NS_FD = 28;
const IFLA_NEW_IFINDEX = 49;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const IFLA_BRPORT_MODE = 4;
const VETH_INFO_PEER = 1;

export const IFF_UP = 0x1;
export const IFF_LOOPBACK = 0x8;

const IFALIASZ = 256;
const IFINFO_SIZE = 16;
const MAC_SIZE = 6;

/** The loopback device has this index in every network namespace. */
export const LOOPBACK_INDEX = 1;

export type Link = {
  readonly index: number;
  readonly name: string;
  /** IFF_* bits. */
  readonly flags: number;
  /** `02:00:5e:00:53:01`; undefined where the device has no such address. */
  readonly mac: string | undefined;
  readonly mtu: number | undefined;
  /** Index of the bridge that it is a port of. */
  readonly master: number | undefined;
  /** `bridge`, `veth`; undefined for hardware. */
  readonly kind: string | undefined;
  readonly alias: string | undefined;
};

/** Undefined fields are the kernel's choice. */
type NewLink = {
  readonly name: string;
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
};

/** A bridge that is up. EEXIST when the name is taken. Throws RangeError on a name or an address that cannot be. */
export function createBridge(bridge: NewLink): Request {
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: Buffer.concat([ifinfo({ up: true }), ...linkAttributes(bridge), linkInfo('bridge', [])]),
    what: `create bridge ${bridge.name}`,
  };
}

/** The end of a pair in the socket's own network namespace: up, with a chosen index. */
type VethEnd = NewLink & { readonly index: number };
/** The other end, born in the namespace that the descriptor `namespaceFd` of the sending process names. */
type VethPeer = NewLink & { readonly namespaceFd: number };

/**
 * A pair of devices, each created in its final namespace (moving one costs RCU grace periods). The index of the near end
 * is chosen, because addresses are added by index, and to ask for it would need an answer first.
 */
export function createVeth(near: VethEnd, peer: VethPeer): Request {
  const peerInfo = Buffer.concat([ifinfo({}), ...linkAttributes(peer), u32Attribute(IFLA_NET_NS_FD, peer.namespaceFd)]);
  const data = [attribute(VETH_INFO_PEER, peerInfo)];
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: Buffer.concat([ifinfo({ index: near.index, up: true }), ...linkAttributes(near), linkInfo('veth', data)]),
    what: `create veth pair ${near.name} and ${peer.name}`,
  };
}

/** Change a device: what is undefined stays. `name` or `index` says which one. */
export type LinkChange = {
  readonly name?: string;
  readonly index?: number;
  readonly up?: boolean;
  readonly master?: number;
  readonly alias?: string;
  readonly mtu?: number;
};

/** RTM_SETLINK. ENODEV when there is no such device. */
export function changeLink({ name, index, up, master, alias, mtu }: LinkChange): Request {
  const attributes = [
    ...(name === undefined ? [] : [nameAttribute(name)]),
    ...(master === undefined ? [] : [u32Attribute(IFLA_MASTER, master)]),
    ...(alias === undefined ? [] : [aliasAttribute(alias)]),
    ...(mtu === undefined ? [] : [u32Attribute(IFLA_MTU, mtu)]),
  ];
  return {
    type: RTM_SETLINK,
    flags: 0,
    body: Buffer.concat([ifinfo({ index, up }), ...attributes]),
    what: `${master === undefined ? 'set up' : 'plug in'} link ${name ?? index ?? ''}`,
  };
}

/** Where a device goes: its index there, and its name, in which the kernel makes a number of `%d`. */
export type LinkMove = {
  readonly index: number;
  readonly newIndex: number;
  readonly newName: string;
  /** Of the sending process. */
  readonly namespaceFd: number;
};

/** Move a device to another network namespace. It is down then, without addresses. EBUSY when the index is taken there (Linux 5.13). */
export function moveLink({ index, newIndex, newName, namespaceFd }: LinkMove): Request {
  const attributes = [
    u32Attribute(IFLA_NET_NS_FD, namespaceFd),
    u32Attribute(IFLA_NEW_IFINDEX, newIndex),
    textAttribute(IFLA_IFNAME, newName, IFNAMSIZ - 1),
  ];
  return {
    type: RTM_SETLINK,
    flags: 0,
    body: Buffer.concat([ifinfo({ index }), ...attributes]),
    what: `move link ${index} to another namespace as ${newName}`,
  };
}

/**
 * Let a port of a bridge send back to where a frame came from: a bridge whose frames pass netfilter
 * (bridge-nf-call-iptables) rewrites the destination there, and a pod's own published port leads back to the pod.
 */
export function setHairpin(port: string): Request {
  const slave = [
    textAttribute(IFLA_INFO_SLAVE_KIND, 'bridge'),
    nested(IFLA_INFO_SLAVE_DATA, [u8Attribute(IFLA_BRPORT_MODE, 1)]),
  ];
  const body = Buffer.concat([ifinfo({}), nameAttribute(port), nested(IFLA_LINKINFO, slave)]);
  return { type: RTM_NEWLINK, flags: 0, body, what: `set hairpin mode of port ${port}` };
}

/** ENODEV when there is no such device. The other end of a veth pair goes with it. */
export function deleteLink(name: string): Request {
  return {
    type: RTM_DELLINK,
    flags: 0,
    body: Buffer.concat([ifinfo({}), nameAttribute(name)]),
    what: `delete link ${name}`,
  };
}

/** One device by its name, answered with one message for parseLink. ENODEV when there is none. */
export function getLink(name: string): Request {
  return {
    type: RTM_GETLINK,
    flags: 0,
    body: Buffer.concat([ifinfo({}), nameAttribute(name)]),
    what: `get link ${name}`,
  };
}

/** All devices of the namespace, one message each. */
export function listLinks(): Request {
  return { type: RTM_GETLINK, flags: 0, body: ifinfo({}), what: 'list links' };
}

/** An RTM_NEWLINK message; undefined for any other. Throws RangeError on one that is cut short. */
export function parseLink({ type, body }: Message): Link | undefined {
  if (type !== RTM_NEWLINK) return undefined;
  if (body.length < IFINFO_SIZE) throw new RangeError(`Link message of ${body.length} bytes is cut short`);
  const attributes = parseAttributes(body.subarray(IFINFO_SIZE));
  const address = attributes.get(IFLA_ADDRESS);
  return {
    index: body.readInt32LE(4),
    name: readText(attributes, IFLA_IFNAME) ?? '',
    flags: body.readUInt32LE(8),
    mac: address?.length === MAC_SIZE ? macText(address) : undefined,
    mtu: readU32(attributes, IFLA_MTU),
    master: readU32(attributes, IFLA_MASTER),
    kind: readText(readNested(attributes, IFLA_LINKINFO), IFLA_INFO_KIND),
    alias: readText(attributes, IFLA_IFALIAS),
  };
}

/** struct ifinfomsg. `up` false takes the device down, undefined leaves it. */
function ifinfo({ index = 0, up }: { index?: number | undefined; up?: boolean | undefined }): Buffer {
  const header = Buffer.alloc(IFINFO_SIZE);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(up === true ? IFF_UP : 0, 8);
  header.writeUInt32LE(up === undefined ? 0 : IFF_UP, 12);
  return header;
}

function linkAttributes({ name, mac, mtu }: NewLink): Buffer[] {
  return [
    nameAttribute(name),
    ...(mac === undefined ? [] : [attribute(IFLA_ADDRESS, macBytes(mac))]),
    ...(mtu === undefined ? [] : [u32Attribute(IFLA_MTU, mtu)]),
  ];
}

function nameAttribute(name: string): Buffer {
  if (!isLinkName(name)) throw new RangeError(`'${name}' is not a name for a network device`);
  return textAttribute(IFLA_IFNAME, name, IFNAMSIZ - 1);
}

function aliasAttribute(alias: string): Buffer {
  // Without the NUL: the kernel keeps the bytes as they are.
  const bytes = Buffer.from(alias, 'utf8');
  if (bytes.length >= IFALIASZ) throw new RangeError(`Alias '${alias}' is longer than ${IFALIASZ - 1} bytes`);
  return attribute(IFLA_IFALIAS, bytes);
}

function linkInfo(kind: string, data: readonly Buffer[]): Buffer {
  const info = [textAttribute(IFLA_INFO_KIND, kind), ...(data.length === 0 ? [] : [nested(IFLA_INFO_DATA, data)])];
  return nested(IFLA_LINKINFO, info);
}

function macBytes(mac: string): Buffer {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) throw new RangeError(`'${mac}' is not an Ethernet address`);
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

function macText(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
