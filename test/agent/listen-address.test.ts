import test from 'ava';

import { formatAddress, isLoopback, parseListen } from '../../src/agent/listen-address.ts';

const GOOD = [
  ['127.0.0.1:9473', '127.0.0.1', 9473],
  ['[::1]:80', '::1', 80],
  ['localhost:1', 'localhost', 1],
  [':9473', '::', 9473],
  ['9473', '127.0.0.1', 9473],
  ['0.0.0.0:0', '0.0.0.0', 0],
] as const;

for (const [text, host, port] of GOOD) {
  test(`'${text}' is port ${port} of ${host}`, (t) => {
    t.deepEqual(parseListen(text), { host, port });
  });
}

test("'off' is no address", (t) => {
  t.is(parseListen('off'), undefined);
});

for (const text of ['', 'x', '1.2.3.4', '127.0.0.1:', '127.0.0.1:65536', '::1:80', '[::g]:80', 'a b:1', 'http://x:1']) {
  test(`'${text}' is refused`, (t) => {
    t.throws(() => parseListen(text), { instanceOf: RangeError, message: /HOST:PORT/ });
  });
}

test('an address is written as a URL has it', (t) => {
  t.is(formatAddress({ host: '::1', port: 80 }), '[::1]:80');
  t.is(formatAddress({ host: '10.0.0.1', port: 80 }), '10.0.0.1:80');
});

test('only loopback addresses are for this machine alone', (t) => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) t.true(isLoopback({ host, port: 1 }), host);
  for (const host of ['::', '0.0.0.0', '10.0.0.1', 'example.test']) t.false(isLoopback({ host, port: 1 }), host);
});
