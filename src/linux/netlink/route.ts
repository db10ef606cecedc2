// Routes: rtnetlink(7) RTM_*ROUTE, struct rtmsg, <linux/rtnetlink.h>.
import { isIPv4 } from 'node:net';

import { AF_INET, AF_INET6 } from '../socket.ts';
import { attribute, parseAttributes, readU32, u32Attribute } from './attribute.ts';
import { ipBytes, ipText } from './ip-address.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Message, type Request } from './message.ts';

const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_TABLE = 15;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RTN_UNICAST = 1;
const RTMSG_SIZE = 12;

export type Route = {
  readonly family: 4 | 6;
  /** Undefined where the prefix length is 0: the default route. */
  readonly destination: string | undefined;
  readonly prefixLength: number;
  readonly gateway: string | undefined;
  /** Index of the device; undefined for a route over several. */
  readonly index: number | undefined;
  readonly table: number;
};

/** The default route over `gateway`, which is on the link of device `index`. EEXIST when there is one. */
export function addDefaultRoute(gateway: string, index: number): Request {
  const header = Buffer.alloc(RTMSG_SIZE);
  header.writeUInt8(isIPv4(gateway) ? AF_INET : AF_INET6, 0);
  header.writeUInt8(RT_TABLE_MAIN, 4);
  header.writeUInt8(RTPROT_STATIC, 5);
  header.writeUInt8(RT_SCOPE_UNIVERSE, 6);
  header.writeUInt8(RTN_UNICAST, 7);
  const attributes = [attribute(RTA_GATEWAY, ipBytes(gateway)), u32Attribute(RTA_OIF, index)];
  return {
    type: RTM_NEWROUTE,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: Buffer.concat([header, ...attributes]),
    what: `add default route via ${gateway}`,
  };
}

/** All routes of the namespace, of every table and both families, one message each. */
export function listRoutes(): Request {
  return { type: RTM_GETROUTE, flags: 0, body: Buffer.alloc(RTMSG_SIZE), what: 'list routes' };
}

/** An RTM_NEWROUTE message of a unicast route; undefined for any other. Throws RangeError on one that is cut short. */
export function parseRoute({ type, body }: Message): Route | undefined {
  if (type !== RTM_NEWROUTE) return undefined;
  if (body.length < RTMSG_SIZE) throw new RangeError(`Route message of ${body.length} bytes is cut short`);
  const family = body.readUInt8(0);
  if ((family !== AF_INET && family !== AF_INET6) || body.readUInt8(7) !== RTN_UNICAST) return undefined;
  const attributes = parseAttributes(body.subarray(RTMSG_SIZE));
  const destination = attributes.get(RTA_DST);
  const gateway = attributes.get(RTA_GATEWAY);
  return {
    family: family === AF_INET ? 4 : 6,
    destination: destination === undefined ? undefined : ipText(destination),
    prefixLength: body.readUInt8(1),
    gateway: gateway === undefined ? undefined : ipText(gateway),
    index: readU32(attributes, RTA_OIF),
    table: readU32(attributes, RTA_TABLE) ?? body.readUInt8(4),
  };
}
