// The packet filter of a bridge network: one nf_tables table of its own, with everything that berth asks of netfilter.
//
// A host filter that drops forwarded packets still drops them: `accept` here ends this table only (nft(8), "policy").
import { createHash } from 'node:crypto';

import { ipBytes } from '../../linux/netlink/ip-address.ts';
import {
  compare,
  conntrack,
  destinationType,
  dnat,
  FIELDS,
  linkNameValue,
  lookup,
  masquerade,
  mask,
  meta,
  payload,
  register,
  verdict,
  type Expression,
  type Field,
} from '../../linux/netlink/nft-expression.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6, type Chain, type NftMap, type Rule } from '../../linux/netlink/nft-object.ts';
import { parseSubnet, subnetAddress, subnetMask, type Subnet } from './subnet.ts';

/** What the rules depend on. */
export type FilteredNetwork = {
  readonly bridge: string;
  readonly ipv4: Subnet;
  readonly ipv6: Subnet | undefined;
};

export const CHAINS: readonly Chain[] = [
  { name: 'guard', type: 'filter', hook: 'prerouting', priority: 'raw' },
  { name: 'prerouting', type: 'nat', hook: 'prerouting', priority: 'dstnat' },
  { name: 'output', type: 'nat', hook: 'output', priority: 'dstnat' },
  { name: 'forward', type: 'filter', hook: 'forward', priority: 'filter' },
  { name: 'postrouting', type: 'nat', hook: 'postrouting', priority: 'srcnat' },
];

/** Published ports. `any` is every address of this machine; `address` is one of them. Values are a pod's address and port. */
export const PORT_MAPS = {
  anyIPv4: { name: 'ports4', id: 1, key: ['inet_proto', 'inet_service'], value: ['ipv4_addr', 'inet_service'] },
  anyIPv6: { name: 'ports6', id: 2, key: ['inet_proto', 'inet_service'], value: ['ipv6_addr', 'inet_service'] },
  addressIPv4: {
    name: 'addressports4',
    id: 3,
    key: ['ipv4_addr', 'inet_proto', 'inet_service'],
    value: ['ipv4_addr', 'inet_service'],
  },
  addressIPv6: {
    name: 'addressports6',
    id: 4,
    key: ['ipv6_addr', 'inet_proto', 'inet_service'],
    value: ['ipv6_addr', 'inet_service'],
  },
} as const satisfies Readonly<Record<string, NftMap>>;

const LOOPBACK_IPV4 = parseSubnet('127.0.0.0/8');
const LOOPBACK_IPV6 = ipBytes('::1');
const RTN_LOCAL = Buffer.from([2, 0, 0, 0]);
const IPS_DST_NAT = Buffer.from([0x20, 0, 0, 0]);
// NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED)
const ESTABLISHED_OR_RELATED = Buffer.from([6, 0, 0, 0]);
const ZERO = Buffer.alloc(4);

// The value that a map lookup finds, behind the longest key (6 registers).
const FOUND = 8;
const FIRST = register(0);

/** All rules of the table, chain by chain, in their order. Each has its content's hash in its comment. */
export function bridgeRules(network: FilteredNetwork): Rule[] {
  const { bridge, ipv4, ipv6 } = network;
  return [
    ...guardRules(bridge),
    ...portRules('prerouting', ipv6 !== undefined),
    ...portRules('output', ipv6 !== undefined),
    ...forwardRules(bridge),
    ...sourceRules(bridge, ipv4),
    rule('postrouting', 'loopback to a published port', [
      ...leaving(bridge),
      ...within(FIELDS.ip4Source, LOOPBACK_IPV4),
      masquerade(),
    ]),
    ...(ipv6 === undefined ? [] : sourceRules(bridge, ipv6)),
  ];
}

/** route_localnet is on for the bridge: without these a pod could send to 127.0.0.1 of the machine (CVE-2020-8558). */
function guardRules(bridge: string): Rule[] {
  const from = arriving(bridge);
  return [
    rule('guard', 'no pod reaches loopback', [
      ...from,
      ...within(FIELDS.ip4Destination, LOOPBACK_IPV4),
      verdict('drop'),
    ]),
    rule('guard', 'no pod claims to be loopback', [
      ...from,
      ...within(FIELDS.ip4Source, LOOPBACK_IPV4),
      verdict('drop'),
    ]),
  ];
}

function portRules(chain: 'prerouting' | 'output', withIPv6: boolean): Rule[] {
  // From outside 127.0.0.1 is never meant; from the machine itself ::1 cannot be forwarded (there is no IPv6
  // route_localnet), and an answer "refused" makes clients go on to 127.0.0.1.
  const [loopback] =
    chain === 'prerouting'
      ? [rule(chain, 'loopback from outside', [...within(FIELDS.ip4Destination, LOOPBACK_IPV4), verdict('return')])]
      : [
          rule(chain, 'IPv6 loopback', [
            ...ofFamily(NFPROTO_IPV6),
            ...equals(FIELDS.ip6Destination, LOOPBACK_IPV6),
            verdict('return'),
          ]),
        ];
  return [
    ...(loopback === undefined ? [] : [loopback]),
    ...publishRules(chain, NFPROTO_IPV4),
    ...(withIPv6 ? publishRules(chain, NFPROTO_IPV6) : []),
  ];
}

function publishRules(chain: string, family: typeof NFPROTO_IPV4 | typeof NFPROTO_IPV6): Rule[] {
  const isIPv4 = family === NFPROTO_IPV4;
  const version = isIPv4 ? 'IPv4' : 'IPv6';
  const destination = isIPv4 ? FIELDS.ip4Destination : FIELDS.ip6Destination;
  const afterAddress = destination.length / 4;
  const any = isIPv4 ? PORT_MAPS.anyIPv4 : PORT_MAPS.anyIPv6;
  const address = isIPv4 ? PORT_MAPS.addressIPv4 : PORT_MAPS.addressIPv6;
  const rewrite = (map: NftMap): Expression[] => [
    lookup(map.name, FIRST, register(FOUND)),
    dnat(family, register(FOUND), register(FOUND + afterAddress)),
  ];
  return [
    rule(chain, `${version} ports of one address`, [
      ...ofFamily(family),
      payload(destination, FIRST),
      ...protocolAndPort(afterAddress),
      ...rewrite(address),
    ]),
    rule(chain, `${version} ports of every address`, [
      ...ofFamily(family),
      destinationType(FIRST),
      compare(FIRST, 'eq', RTN_LOCAL),
      ...protocolAndPort(0),
      ...rewrite(any),
    ]),
  ];
}

/** To pods only answers and what was published: neighbours on the machine's own networks could route past the ports. */
function forwardRules(bridge: string): Rule[] {
  const to = leaving(bridge);
  const answers = [conntrack('state', FIRST), mask(FIRST, ESTABLISHED_OR_RELATED), compare(FIRST, 'neq', ZERO)];
  return [
    rule('forward', 'answers to pods', [...to, ...answers, verdict('accept')]),
    rule('forward', 'published ports', [...to, ...destinationRewritten(), verdict('accept')]),
    rule('forward', 'pods among themselves', [...to, ...arriving(bridge), verdict('accept')]),
    rule('forward', 'nothing else to pods', [...to, verdict('drop')]),
  ];
}

function sourceRules(bridge: string, subnet: Subnet): Rule[] {
  const version = subnet.family === 4 ? 'IPv4' : 'IPv6';
  const fromPod = within(subnet.family === 4 ? FIELDS.ip4Source : FIELDS.ip6Source, subnet);
  return [
    rule('postrouting', `${version} of pods to the world`, [
      ...fromPod,
      meta('oifname', FIRST),
      compare(FIRST, 'neq', linkNameValue(bridge)),
      masquerade(),
    ]),
    // The answer must come back this way to be rewritten, and not go from pod to pod over the bridge.
    rule('postrouting', `${version} of pods to published ports`, [
      ...fromPod,
      ...leaving(bridge),
      ...destinationRewritten(),
      masquerade(),
    ]),
  ];
}

/** A rule with the hash of its content in its comment. */
export function rule(chain: string, comment: string, expressions: readonly Expression[]): Rule {
  const hash = createHash('sha256').update(Buffer.concat(expressions)).digest('hex').slice(0, 8);
  return { chain, expressions, comment: `${comment} (${hash})` };
}

function arriving(bridge: string): Expression[] {
  return [meta('iifname', FIRST), compare(FIRST, 'eq', linkNameValue(bridge))];
}

function leaving(bridge: string): Expression[] {
  return [meta('oifname', FIRST), compare(FIRST, 'eq', linkNameValue(bridge))];
}

function ofFamily(family: number): Expression[] {
  return [meta('nfproto', FIRST), compare(FIRST, 'eq', Buffer.from([family]))];
}

function equals(field: Field, value: Buffer): Expression[] {
  return [payload(field, FIRST), compare(FIRST, 'eq', value)];
}

function within(field: Field, subnet: Subnet): Expression[] {
  return [
    ...ofFamily(subnet.family === 4 ? NFPROTO_IPV4 : NFPROTO_IPV6),
    payload(field, FIRST),
    mask(FIRST, subnetMask(subnet)),
    compare(FIRST, 'eq', ipBytes(subnetAddress(subnet, 0n))),
  ];
}

function destinationRewritten(): Expression[] {
  return [conntrack('status', FIRST), mask(FIRST, IPS_DST_NAT), compare(FIRST, 'neq', ZERO)];
}

function protocolAndPort(at: number): Expression[] {
  return [meta('l4proto', register(at)), payload(FIELDS.destinationPort, register(at + 1))];
}
