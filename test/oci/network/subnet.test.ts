import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import {
  chooseSubnet,
  formatSubnet,
  offsetInSubnet,
  parseSubnet,
  subnetAddress,
  subnetMask,
  subnetSize,
  subnetsOverlap,
  type Subnet,
} from '../../../src/oci/network/subnet.ts';

const subnets: fc.Arbitrary<Subnet> = fc
  .tuple(fc.constantFrom(4, 6), fc.bigInt(0n, (1n << 128n) - 1n), fc.nat(128))
  .map(([family, bits, length]) => {
    const width = family === 4 ? 32 : 128;
    const prefixLength = length % (width + 1);
    const free = BigInt(width - prefixLength);
    return { family: family, base: ((bits % (1n << BigInt(width))) >> free) << free, prefixLength };
  });

test('a subnet comes back from its text', (t) => {
  t.notThrows(() =>
    fc.assert(fc.property(subnets, (subnet) => assert.deepEqual(parseSubnet(formatSubnet(subnet)), subnet))),
  );
});

test('an address is as far from the lowest as it was made', (t) => {
  const property = fc.property(subnets, fc.bigInt(0n, 1n << 20n), (subnet, number) => {
    const offset = number % subnetSize(subnet);
    assert.equal(offsetInSubnet(subnet, subnetAddress(subnet, offset)), offset);
  });
  t.notThrows(() => fc.assert(property));
});

test('two subnets overlap exactly when one holds the lowest address of the other', (t) => {
  const property = fc.property(subnets, subnets, (a, b) => {
    const holds =
      offsetInSubnet(a, subnetAddress(b, 0n)) !== undefined || offsetInSubnet(b, subnetAddress(a, 0n)) !== undefined;
    assert.equal(subnetsOverlap(a, b), holds);
    assert.equal(subnetsOverlap(b, a), holds);
  });
  t.notThrows(() => fc.assert(property));
});

test('the chosen subnet is the first that nobody uses', (t) => {
  const candidates = ['10.88.0.0/16', '10.89.0.0/16', '10.90.0.0/16'].map(parseSubnet);
  t.is(chooseSubnet(candidates, []), candidates[0]);
  t.is(chooseSubnet(candidates, ['10.88.3.0/24', '10.89.255.255/32'].map(parseSubnet)), candidates[2]);
  t.is(chooseSubnet(candidates, [parseSubnet('10.0.0.0/8')]), undefined);
  t.is(chooseSubnet(candidates, [parseSubnet('fd00::/8')]), candidates[0]);
});

test('a mask has the bits of the prefix', (t) => {
  t.is(subnetMask(parseSubnet('10.88.0.0/16')).toString('hex'), 'ffff0000');
  t.is(subnetMask(parseSubnet('0.0.0.0/0')).toString('hex'), '00000000');
  t.is(subnetMask(parseSubnet('10.0.0.0/31')).toString('hex'), 'fffffffe');
  t.is(subnetMask(parseSubnet('fd00::/9')).toString('hex'), `ff8${'0'.repeat(29)}`);
});

for (const text of [
  '',
  '10.0.0.0',
  '10.0.0.0/',
  '10.0.0.0/33',
  '10.0.0.1/24',
  'fd00::/129',
  '10.0.0.0/8/8',
  'x/8',
  '10.0.0.0/ 8',
]) {
  test(`'${text}' is not a subnet`, (t) => {
    t.throws(() => parseSubnet(text), { instanceOf: RangeError });
  });
}

test('an address outside is not in the subnet', (t) => {
  const subnet = parseSubnet('10.88.0.0/16');
  t.is(offsetInSubnet(subnet, '10.89.0.0'), undefined);
  t.is(offsetInSubnet(subnet, '10.87.255.255'), undefined);
  t.is(offsetInSubnet(subnet, 'fd00::1'), undefined);
  t.throws(() => subnetAddress(subnet, 65536n), { instanceOf: RangeError });
});
