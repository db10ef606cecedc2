import * as fc from 'fast-check';
import test from 'ava';

import { parseNetDev } from '../../src/agent/net-dev.ts';

const TEXT = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:   23064     194    0    0    0     0          0         0    23064     194    0    0    0     0       0          0
  eth0: 1296     12    1    2    0     0          0         0      866      10    3    4    0     0       0          0
`;

test('every interface but the loopback is read, both ways', (t) => {
  t.deepEqual(parseNetDev(TEXT), [
    {
      name: 'eth0',
      receive: { bytes: 1296, packets: 12, errors: 1, dropped: 2 },
      transmit: { bytes: 866, packets: 10, errors: 3, dropped: 4 },
    },
  ]);
});

test('a name that fills its column, and numbers right behind the colon, are read', (t) => {
  const [one] = parseNetDev('berth-0123abcd:99999999999 1 0 0 0 0 0 0 5 6 0 0 0 0 0 0\n');
  t.is(one?.name, 'berth-0123abcd');
  t.is(one?.receive.bytes, 99_999_999_999);
  t.is(one?.transmit.packets, 6);
});

test('any text is read without an exception', (t) => {
  t.notThrows(() => fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseNetDev(text)))));
});
