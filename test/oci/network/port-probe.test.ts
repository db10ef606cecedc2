import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

import test from 'ava';

import { isOciError } from '../../../src/oci/error.ts';
import { probePort } from '../../../src/oci/network/port-probe.ts';

const loopback = { family: 4, hostIP: '127.0.0.1', protocol: 'TCP' } as const;

test('a port that a program listens on is in use, on its address and on every address', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const hostPort = typeof address === 'object' && address !== null ? address.port : 0;
  for (const hostIP of ['127.0.0.1', undefined]) {
    const error = t.throws(() => probePort({ ...loopback, hostIP, hostPort }));
    t.true(isOciError(error, 'PORT_IN_USE'), String(error));
  }
  t.notThrows(() => probePort({ ...loopback, hostIP: '127.0.0.2', hostPort }));
});

test('a UDP port that a program has is in use, and the TCP port of that number is not', async (t) => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  const { port: hostPort } = socket.address();
  const error = t.throws(() => probePort({ ...loopback, protocol: 'UDP', hostPort }));
  t.true(isOciError(error, 'PORT_IN_USE'), String(error));
  t.notThrows(() => probePort({ ...loopback, hostPort }));
});

test('a port that was probed is free again', (t) => {
  const hostPort = 20000 + (process.pid % 10000);
  t.notThrows(() => probePort({ ...loopback, hostIP: '127.0.0.3', hostPort }));
  t.notThrows(() => probePort({ ...loopback, hostIP: '127.0.0.3', hostPort }));
});

test('an address of another machine cannot be published on', (t) => {
  const error = t.throws(() => probePort({ ...loopback, hostIP: '203.0.113.1', hostPort: 8080 }));
  t.true(isOciError(error, 'PORT_INVALID'), String(error));
});
