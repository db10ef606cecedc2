// The packet filter of Services: an address (or a port of this machine) becomes that of one of its pods, by chance. In chains of
// their own in the network's table, so that a change of Services touches nothing else there. IPv4 alone.
import { ipBytes } from '../../linux/netlink/ip-address.ts';
import {
  compare,
  destinationType,
  dnat,
  FIELDS,
  immediate,
  mask,
  meta,
  payload,
  random,
  register,
  rejectPort,
  type Expression,
} from '../../linux/netlink/nft-expression.ts';
import { NFPROTO_IPV4, type Chain, type Rule } from '../../linux/netlink/nft-object.ts';
import { rule } from './bridge-rules.ts';
import { PROTOCOLS, type Protocol } from './published-port.ts';
import { subnetAddress, subnetMask, type Subnet } from './subnet.ts';

/** One port of a Service, and where it leads. */
export type ServiceRoute = {
  /** `namespace/name`. */
  readonly service: string;
  readonly clusterIP: string;
  readonly port: number;
  readonly nodePort: number | undefined;
  readonly protocol: Protocol;
  readonly endpoints: readonly Endpoint[];
};

/** A ready pod's address and port. */
export type Endpoint = { readonly address: string; readonly port: number };

export const SERVICE_CHAINS: readonly Chain[] = [
  { name: 'services', type: 'nat', hook: 'prerouting', priority: 'dstnat' },
  { name: 'localservices', type: 'nat', hook: 'output', priority: 'dstnat' },
  { name: 'noservice', type: 'filter', hook: 'forward', priority: 'filter' },
  { name: 'nolocalservice', type: 'filter', hook: 'output', priority: 'filter' },
];

const FIRST = register(0);
const SECOND = register(1);
const RTN_LOCAL = Buffer.from([2, 0, 0, 0]);

/** All rules of Services, chain by chain. What is sent into `subnet` and led nowhere is refused. No routes: no rules. */
export function serviceRules(routes: readonly ServiceRoute[], subnet: Subnet): Rule[] {
  if (routes.length === 0) return [];
  const leading = ['services', 'localservices'].flatMap((chain) => routes.flatMap((route) => routeRules(chain, route)));
  const refusing = ['noservice', 'nolocalservice'].map((chain) =>
    rule(chain, 'no ready pod', [...within(subnet), rejectPort()]),
  );
  return [...leading, ...refusing];
}

function routeRules(chain: string, { service, clusterIP, port, nodePort, protocol, endpoints }: ServiceRoute): Rule[] {
  const address = [...ofIPv4(), payload(FIELDS.ip4Destination, FIRST), compare(FIRST, 'eq', ipBytes(clusterIP))];
  const local = [...ofIPv4(), destinationType(FIRST), compare(FIRST, 'eq', RTN_LOCAL)];
  const name = `${service}:${port}`;
  return [
    ...choice(chain, name, [...address, ...portIs(protocol, port)], endpoints),
    ...(nodePort === undefined ? [] : choice(chain, name, [...local, ...portIs(protocol, nodePort)], endpoints)),
  ];
}

/** The first takes one of n packets, the second one of the n-1 that are left, the last all: each is as likely. */
function choice(
  chain: string,
  name: string,
  match: readonly Expression[],
  endpoints: readonly Endpoint[],
): readonly Rule[] {
  return endpoints.map(({ address, port }, index) => {
    const left = endpoints.length - index;
    return rule(chain, name, [
      ...match,
      ...(left === 1 ? [] : [random(left, FIRST), compare(FIRST, 'eq', Buffer.alloc(4))]),
      immediate(ipBytes(address), FIRST),
      immediate(portBytes(port), SECOND),
      dnat(NFPROTO_IPV4, FIRST, SECOND),
    ]);
  });
}

function within(subnet: Subnet): Expression[] {
  return [
    ...ofIPv4(),
    payload(FIELDS.ip4Destination, FIRST),
    mask(FIRST, subnetMask(subnet)),
    compare(FIRST, 'eq', ipBytes(subnetAddress(subnet, 0n))),
  ];
}

function ofIPv4(): Expression[] {
  return [meta('nfproto', FIRST), compare(FIRST, 'eq', Buffer.from([NFPROTO_IPV4]))];
}

function portIs(protocol: Protocol, port: number): Expression[] {
  return [
    meta('l4proto', FIRST),
    compare(FIRST, 'eq', Buffer.from([PROTOCOLS[protocol]])),
    payload(FIELDS.destinationPort, FIRST),
    compare(FIRST, 'eq', portBytes(port)),
  ];
}

function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 0xff]);
}
