import test from 'ava';

import type { Link } from '../../../src/linux/netlink/link.ts';
import { isOciError } from '../../../src/oci/error.ts';
import {
  bridgeAlias,
  checkBridgeOwner,
  routedSubnets,
  subnetOfBridge,
  uplinkMtu,
  type NetworkFacts,
} from '../../../src/oci/network/bridge.ts';
import { bridgeRules } from '../../../src/oci/network/bridge-rules.ts';
import { formatSubnet, parseSubnet } from '../../../src/oci/network/subnet.ts';

const ALIAS = bridgeAlias('/run/berth/network/default');
const none: NetworkFacts = { links: [], addresses: [], routes: [] };

function link(index: number, name: string, more: Partial<Link> = {}): Link {
  return {
    index,
    name,
    flags: 1,
    mac: undefined,
    mtu: 1500,
    master: undefined,
    kind: undefined,
    alias: undefined,
    ...more,
  };
}

function route(destination: string | undefined, index: number, table = 254): NetworkFacts['routes'][number] {
  const [address, length = '0'] = destination?.split('/') ?? [];
  return { family: 4, destination: address, prefixLength: Number(length), gateway: undefined, index, table };
}

function withLink(bridge: Link): NetworkFacts {
  return { ...none, links: [bridge] };
}

test('a bridge that is missing, ours, or was left unsigned and unused can be used', (t) => {
  t.notThrows(() => checkBridgeOwner(none, 'berth0', ALIAS));
  t.notThrows(() => checkBridgeOwner(withLink(link(5, 'berth0', { kind: 'bridge', alias: ALIAS })), 'berth0', ALIAS));
  t.notThrows(() => checkBridgeOwner(withLink(link(5, 'berth0', { kind: 'bridge' })), 'berth0', ALIAS));
});

const others: readonly (readonly [string, Partial<NetworkFacts>, RegExp])[] = [
  [
    'of another agent',
    { links: [link(5, 'berth0', { kind: 'bridge', alias: 'berth /run/b/network/default' })] },
    /another agent: 'berth \/run\/b/,
  ],
  ['that is no bridge', { links: [link(5, 'berth0', { kind: 'dummy' })] }, /was not made by berth/],
  [
    'with a port',
    { links: [link(5, 'berth0', { kind: 'bridge' }), link(6, 'x', { master: 5 })] },
    /was not made by berth/,
  ],
  [
    'with an address',
    { links: [link(5, 'berth0', { kind: 'bridge' })], addresses: [{ index: 5, address: '10.0.0.1', prefixLength: 8 }] },
    /was not made by berth/,
  ],
];
for (const [what, facts, message] of others) {
  test(`a device ${what} is not taken over`, (t) => {
    const error = t.throws(() => checkBridgeOwner({ ...none, ...facts }, 'berth0', ALIAS), { message });
    t.true(isOciError(error, 'NETWORK_CONFLICT'));
  });
}

test('subnets with routes are taken, but for the default route, local ones and those over the bridge', (t) => {
  const routes = [
    route(undefined, 2),
    route('192.0.2.0/24', 2),
    route('10.88.0.0/16', 5),
    route('127.0.0.0/8', 1, 255),
  ];
  t.deepEqual(routedSubnets({ ...none, routes }, 5).map(formatSubnet), ['192.0.2.0/24']);
  t.deepEqual(routedSubnets({ ...none, routes }, undefined).map(formatSubnet), ['192.0.2.0/24', '10.88.0.0/16']);
});

test('the subnet of a bridge is the candidate that it has the gateway of', (t) => {
  const candidates = ['10.88.0.0/16', '10.89.0.0/16'].map(parseSubnet);
  const addresses = [
    { index: 2, address: '10.88.0.1', prefixLength: 16 },
    { index: 5, address: '10.89.0.1', prefixLength: 16 },
  ];
  t.is(subnetOfBridge({ ...none, addresses }, 5, candidates), candidates[1]);
  t.is(subnetOfBridge({ ...none, addresses }, 6, candidates), undefined);
  t.is(
    subnetOfBridge({ ...none, addresses: [{ index: 5, address: '10.88.0.9', prefixLength: 16 }] }, 5, candidates),
    undefined,
  );
});

test('pods get the MTU of the way out where that is smaller than Ethernet', (t) => {
  const facts = (mtu: number): NetworkFacts => ({
    ...none,
    links: [link(2, 'eth0', { mtu }), link(3, 'wg0', { mtu: 1280 })],
    routes: [route(undefined, 2)],
  });
  t.is(uplinkMtu(facts(1450)), 1450);
  t.is(uplinkMtu(facts(9000)), 1500);
  t.is(uplinkMtu(none), 1500);
});

test('a long directory keeps its end in the alias: 255 bytes are what the kernel takes', (t) => {
  const alias = bridgeAlias(`/${'x'.repeat(300)}/network/default`);
  t.is(alias.length, 255);
  t.true(alias.endsWith('/network/default'));
});

function comments(bridge: string, ipv4: string): string[] {
  return bridgeRules({ bridge, ipv4: parseSubnet(ipv4), ipv6: undefined }).map(({ comment }) => comment);
}

test("a rule's comment changes with its content, so that a changed rule is found", (t) => {
  t.deepEqual(comments('berth0', '10.88.0.0/16'), comments('berth0', '10.88.0.0/16'));
  t.notDeepEqual(comments('berth0', '10.88.0.0/16'), comments('berth1', '10.88.0.0/16'));
  t.notDeepEqual(comments('berth0', '10.88.0.0/16'), comments('berth0', '10.89.0.0/16'));
  t.is(
    new Set(comments('berth0', '10.88.0.0/16')).size,
    comments('berth0', '10.88.0.0/16').length - 2,
    'output repeats two of prerouting',
  );
});
