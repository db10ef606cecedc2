import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { isOciError } from '../../../src/oci/error.ts';
import {
  findConflict,
  portElements,
  portText,
  takenPort,
  type PublishedPort,
} from '../../../src/oci/network/published-port.ts';

const pod = { ipv4: '10.88.0.2', ipv6: undefined };
const dual = { ipv4: '10.88.0.2', ipv6: 'fd00::2' };
const web: PublishedPort = { hostPort: 8080, hostIP: undefined, containerPort: 80, protocol: 'TCP' };

function maps(port: Partial<PublishedPort>, addresses: typeof pod | typeof dual = dual): string[] {
  return portElements([{ ...web, ...port }], addresses, 'a').map(({ map }) => map);
}

function conflict(
  a: Partial<PublishedPort>,
  b: Partial<PublishedPort>,
  owners: readonly [string, string] = ['a', 'b'],
) {
  const [wanted, taken] = [a, b].map((port, index) =>
    portElements([{ ...web, ...port }], dual, owners[index] ?? '').map(takenPort),
  );
  return findConflict(wanted ?? [], taken ?? [])?.owner;
}

test('a port becomes protocol and port, and leads to the pod', (t) => {
  const [element] = portElements([web], pod, 'pod-a');
  t.is(element?.map, 'anyIPv4');
  t.is(element?.key.toString('hex'), '060000001f900000');
  t.is(element?.value.toString('hex'), '0a58000200500000');
  t.is(element?.comment, 'pod-a');
});

test('without an address a port is every address of the families that the pod has', (t) => {
  t.deepEqual(maps({}, pod), ['anyIPv4']);
  t.deepEqual(maps({}), ['anyIPv4', 'anyIPv6']);
  t.deepEqual(maps({ hostIP: '0.0.0.0' }), ['anyIPv4']);
  t.deepEqual(maps({ hostIP: '::' }), ['anyIPv6']);
});

test('with an address a port is on that address alone', (t) => {
  t.deepEqual(maps({ hostIP: '127.0.0.1' }), ['addressIPv4']);
  t.deepEqual(maps({ hostIP: 'fd12::1' }), ['addressIPv6']);
});

test('what an element says in words is what was asked for', (t) => {
  const ports = fc.record(
    {
      hostPort: fc.integer({ min: 1, max: 65535 }),
      hostIP: fc.option(fc.oneof(fc.ipV4(), fc.constant('fd00:1::1')), { nil: undefined }),
      containerPort: fc.integer({ min: 1, max: 65535 }),
      protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
    },
    { noNullPrototype: true },
  );
  const property = fc.property(ports, (port) => {
    for (const element of portElements([port], dual, 'uid')) {
      const { family: _, ...taken } = takenPort(element);
      const hostIP = port.hostIP === '0.0.0.0' ? undefined : port.hostIP;
      assert.deepEqual(taken, { hostIP, hostPort: port.hostPort, protocol: port.protocol, owner: 'uid' });
    }
  });
  t.notThrows(() => fc.assert(property));
});

test('two pods cannot have one port, also where one has it on every address', (t) => {
  t.is(conflict({}, {}), 'b');
  t.is(conflict({ hostIP: '127.0.0.1' }, {}), 'b');
  t.is(conflict({}, { hostIP: '127.0.0.1' }), 'b');
  t.is(conflict({ hostIP: 'fd00:1::1' }, { hostIP: '::' }), 'b');
});

test('other addresses, protocols, families and ports are no conflict, nor are those of the pod itself', (t) => {
  t.is(conflict({ hostIP: '127.0.0.1' }, { hostIP: '127.0.0.2' }), undefined);
  t.is(conflict({}, { protocol: 'UDP' }), undefined);
  t.is(conflict({ hostIP: '0.0.0.0' }, { hostIP: '::' }), undefined);
  t.is(conflict({}, { hostPort: 8081 }), undefined);
  t.is(conflict({}, {}, ['a', 'a']), undefined);
});

const refused: readonly (readonly [Partial<PublishedPort>, RegExp])[] = [
  [{ hostPort: 0 }, /from 1 to 65535/],
  [{ containerPort: 65536 }, /from 1 to 65535/],
  [{ hostPort: 80.5 }, /from 1 to 65535/],
  [{ hostIP: 'localhost' }, /'localhost' is not an IP address/],
  [{ hostIP: 'fd00:1::1' }, /the network of pod a has no IPv6/],
  [{ hostIP: '::1' }, /use hostIP 127\.0\.0\.1/],
  [{ hostIP: '0:0::1' }, /use hostIP 127\.0\.0\.1/],
];
for (const [port, message] of refused) {
  test(`${JSON.stringify(port)} cannot be published`, (t) => {
    const error = t.throws(() => portElements([{ ...web, ...port }], pod, 'a'), { message });
    t.true(isOciError(error, 'PORT_INVALID'));
  });
}

function twice(port: Partial<PublishedPort>) {
  return portElements([web, { ...web, ...port }], pod, 'a');
}

test('a port that is given twice is refused; on one address and on every address it is two ports', (t) => {
  t.true(
    isOciError(
      t.throws(() => twice({ containerPort: 81 }), { message: /pod a asks for it twice/ }),
      'PORT_INVALID',
    ),
  );
  t.is(twice({ hostIP: '127.0.0.1' }).length, 2);
});

test('ports are printed as people write them', (t) => {
  t.is(portText(web), '8080/TCP');
  t.is(portText({ ...web, hostIP: '127.0.0.1' }), '127.0.0.1:8080/TCP');
  t.is(portText({ ...web, hostIP: '::' }), '[::]:8080/TCP');
});
