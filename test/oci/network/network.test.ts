import test from 'ava';

import { isOciError } from '../../../src/oci/error.ts';
import { gatewayAddress, macAddress, planNetwork, type NetworkOptions } from '../../../src/oci/network/network.ts';
import { formatSubnet, parseSubnet, subnetsOverlap } from '../../../src/oci/network/subnet.ts';

const stateDirectory = '/run/berth';

test('a network needs nothing but a state directory', (t) => {
  const plan = planNetwork({ stateDirectory });
  t.is(plan.bridge, 'berth0');
  t.is(plan.directory, '/run/berth/network/default');
  t.is(plan.ipv6, undefined);
  t.is(plan.ipv4Subnets[0] === undefined ? '' : formatSubnet(plan.ipv4Subnets[0]), '10.88.0.0/16');
});

test("the default subnets are private, apart from each other and from Docker's first", (t) => {
  const { ipv4Subnets } = planNetwork({ stateDirectory });
  const priv = ['10.0.0.0/8', '172.16.0.0/12'].map(parseSubnet);
  for (const [index, subnet] of ipv4Subnets.entries()) {
    t.true(priv.some((range) => subnetsOverlap(range, subnet)));
    t.false(ipv4Subnets.slice(index + 1).some((other) => subnetsOverlap(other, subnet)));
    t.false(subnetsOverlap(subnet, parseSubnet('172.17.0.0/16')));
  }
});

const refused: readonly (readonly [Partial<NetworkOptions>, RegExp])[] = [
  [{ name: '../x' }, /not a name for a network/],
  [{ name: '' }, /not a name for a network/],
  [{ bridge: 'a/b' }, /not a name for a network device/],
  [{ bridge: 'sixteen-letters-' }, /not a name for a network device/],
  [{ ipv4Subnets: ['10.0.0.0/31'] }, /not a subnet for IPv4 pods/],
  [{ ipv4Subnets: ['fd00::/64'] }, /not a subnet for IPv4 pods/],
  [{ ipv4Subnets: ['10.0.0.1/24'] }, /bits set behind its prefix/],
  [{ ipv6: '10.0.0.0/8' }, /not a subnet for IPv6 pods/],
  [{ mtu: 100 }, /MTU 100 is not from 1280/],
];
for (const [options, message] of refused) {
  test(`${JSON.stringify(options)} is refused`, (t) => {
    const error = t.throws(() => planNetwork({ stateDirectory, ...options }), { message });
    t.true(isOciError(error, 'NETWORK_INVALID'));
  });
}

test('the gateway is the first address', (t) => {
  t.is(gatewayAddress(parseSubnet('10.88.0.0/16')), '10.88.0.1');
  t.is(gatewayAddress(parseSubnet('fd00::/64')), 'fd00::1');
});

test('Ethernet addresses are locally administered, single, and differ by kind and pod', (t) => {
  t.is(macAddress('pod', '10.88.0.2'), '02:be:0a:58:00:02');
  const macs = (['pod', 'port', 'bridge'] as const).map((kind) => macAddress(kind, '10.88.0.2'));
  t.is(new Set(macs).size, 3);
  for (const mac of macs) t.is(Number.parseInt(mac.slice(0, 2), 16) & 3, 2);
});
