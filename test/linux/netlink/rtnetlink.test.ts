import test from 'ava';

import { addAddress, copyAddress, parseAddress } from '../../../src/linux/netlink/address.ts';
import {
  changeLink,
  createBridge,
  createVeth,
  deleteLink,
  getLink,
  listLinks,
  parseLink,
  setHairpin,
} from '../../../src/linux/netlink/link.ts';
import { isLinkName } from '../../../src/linux/netlink/link-name.ts';
import type { Request } from '../../../src/linux/netlink/message.ts';
import { addDefaultRoute, parseRoute } from '../../../src/linux/netlink/route.ts';
import { assertGolden } from '../../assert-golden.ts';
import { printRequests } from './print-request.ts';

const veth = createVeth(
  { name: 'eth0', index: 100, mac: '02:be:0a:58:00:02', mtu: 1500 },
  { name: 'bv0123456789ab', mac: '06:be:0a:58:00:02', mtu: 1500, namespaceFd: 10 },
);

/** A request's body as the kernel would send it in a list. */
function asMessage({ type, body }: Request) {
  return { type, flags: 0, sequence: 1, body };
}

test('the messages for links, addresses and routes are these bytes', (t) => {
  const requests = [
    createBridge({ name: 'berth0', mac: '0a:be:0a:58:00:01', mtu: 1500 }),
    veth,
    changeLink({ name: 'bv0123456789ab', up: true, master: 5, alias: 'berth pod a' }),
    changeLink({ index: 1, up: true }),
    setHairpin('bv0123456789ab'),
    deleteLink('bv0123456789ab'),
    getLink('berth0'),
    listLinks(),
    addAddress({ index: 100, address: '10.88.0.2', prefixLength: 16 }),
    addAddress({ index: 100, address: 'fd00::2', prefixLength: 64 }),
    addDefaultRoute('10.88.0.1', 100),
    addDefaultRoute('fd00::1', 100),
  ];
  assertGolden(t, 'network/rtnetlink.txt', printRequests(requests));
});

test('an address is copied where it is permanent, of global scope, and of that device', (t) => {
  const message = asMessage(addAddress({ index: 7, address: '10.0.0.1', prefixLength: 24 }));
  const changed = (at: number, value: number) => {
    const body = Buffer.from(message.body);
    body.writeUInt8(value, at);
    return { ...message, body };
  };
  const permanent = changed(2, 0x80);
  const copy = copyAddress(permanent, { from: 7, to: 9 });
  t.deepEqual(copy === undefined ? undefined : parseAddress(asMessage(copy)), {
    index: 9,
    address: '10.0.0.1',
    prefixLength: 24,
  });
  t.is(copyAddress(message, { from: 7, to: 9 }), undefined);
  t.is(copyAddress(permanent, { from: 8, to: 9 }), undefined);
  const ofLink = { ...permanent, body: Buffer.from(permanent.body) };
  ofLink.body.writeUInt8(253, 3);
  t.is(copyAddress(ofLink, { from: 7, to: 9 }), undefined);
});

test('a link is read with its name, address, kind and MTU', (t) => {
  const link = parseLink(asMessage(createBridge({ name: 'berth0', mac: '0a:be:0a:58:00:01', mtu: 1400 })));
  t.like(link, { name: 'berth0', mac: '0a:be:0a:58:00:01', kind: 'bridge', mtu: 1400, flags: 1, master: undefined });
  t.like(parseLink(asMessage(veth)), { name: 'eth0', index: 100, kind: 'veth' });
});

test('addresses and default routes are read as they were written', (t) => {
  for (const address of ['10.88.0.2', 'fd00::2']) {
    const written = { index: 7, address, prefixLength: 30 };
    t.deepEqual(parseAddress(asMessage(addAddress(written))), written);
    t.like(parseRoute(asMessage(addDefaultRoute(address, 7))), {
      gateway: address,
      index: 7,
      destination: undefined,
      prefixLength: 0,
      table: 254,
    });
  }
});

test('messages of another type are no link, address or route', (t) => {
  const other = { type: 3, flags: 0, sequence: 1, body: Buffer.alloc(0) };
  t.is(parseLink(other), undefined);
  t.is(parseAddress(other), undefined);
  t.is(parseRoute(other), undefined);
});

test('messages that are cut short are an error', (t) => {
  const body = Buffer.alloc(3);
  for (const [parse, type] of [[parseLink, 16] as const, [parseAddress, 20] as const, [parseRoute, 24] as const]) {
    t.throws(() => parse({ type, flags: 0, sequence: 1, body }), { instanceOf: RangeError, message: /cut short/ });
  }
});

for (const name of ['', '.', '..', 'a/b', 'a b', 'sixteen-letters-', 'berth0\n', 'a:b']) {
  test(`${JSON.stringify(name)} is no name for a device`, (t) => {
    t.false(isLinkName(name));
    t.throws(() => createBridge({ name }), { instanceOf: RangeError });
  });
}

test('fifteen letters are a name for a device', (t) => {
  t.true(isLinkName('fifteen-letters'));
});

test('what is no Ethernet address, IP address or prefix length is refused before the kernel sees it', (t) => {
  t.throws(() => createBridge({ name: 'b', mac: '02:be:0a:58:00' }), { instanceOf: RangeError });
  t.throws(() => addAddress({ index: 1, address: '10.0.0.1', prefixLength: 33 }), { instanceOf: RangeError });
  t.throws(() => addAddress({ index: 1, address: 'x', prefixLength: 3 }), { instanceOf: RangeError });
  t.throws(() => changeLink({ index: 1, alias: 'x'.repeat(256) }), { instanceOf: RangeError });
});
