// Probes against servers that really answer, over the loopback.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { runProbe, type ProbeSubject } from '../../../src/agent/probe/run-probe.ts';
import type { ProbeOutcome } from '../../../src/reconcile/probe-state.ts';
import type { HttpAction, ProbeAction } from '../../../src/spec/health.ts';

async function listening(t: ExecutionContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** No container is needed but for exec. */
const SUBJECT = { id: 'none', address: '127.0.0.1' } as ProbeSubject;

function probe(action: ProbeAction, timeoutSeconds = 5): Promise<ProbeOutcome> {
  return runProbe(action, SUBJECT, { timeoutSeconds, signal: new AbortController().signal });
}

function http(port: number, fields: Partial<HttpAction> = {}): HttpAction {
  return { kind: 'httpGet', scheme: 'HTTP', host: undefined, port, path: '/', headers: [], ...fields };
}

const web = (t: ExecutionContext, listener: RequestListener): Promise<number> => listening(t, createServer(listener));

for (const [status, result] of [
  [200, 'success'],
  [204, 'success'],
  [304, 'success'],
  [399, 'success'],
  [400, 'failure'],
  [404, 'failure'],
  [500, 'failure'],
] as const) {
  test(`HTTP status ${status} is a ${result}`, async (t) => {
    const port = await web(t, (_, response) => response.writeHead(status).end());
    t.deepEqual(await probe(http(port)), { result, message: `HTTP status ${status}` });
  });
}

test('path, query and headers arrive, the usual ones can be replaced', async (t) => {
  const seen: unknown[] = [];
  const port = await web(t, ({ url, headers }, response) => {
    seen.push([url, headers.host, headers['user-agent'], headers.accept, headers['x-a']]);
    response.end();
  });
  await probe(http(port, { path: '/healthz?full=1' }));
  await probe(
    http(port, {
      path: 'relative',
      headers: [
        { name: 'Host', value: 'example.test' },
        { name: 'User-Agent', value: 'me' },
        { name: 'X-A', value: '1' },
        { name: 'x-a', value: '2' },
      ],
    }),
  );
  t.deepEqual(seen, [
    ['/healthz?full=1', `127.0.0.1:${port}`, 'kube-probe/berth', '*/*', undefined],
    ['/relative', 'example.test', 'me', '*/*', '1, 2'],
  ]);
});

test('a redirect on the same host is followed, one to another host is the answer itself', async (t) => {
  const port = await web(t, ({ url }, response) => {
    if (url === '/there') response.writeHead(503).end('no');
    else if (url === '/away') response.writeHead(302, { location: 'http://other.test/' }).end();
    else if (url === '/loop') response.writeHead(302, { location: '/loop' }).end();
    else response.writeHead(301, { location: '/there' }).end();
  });
  t.deepEqual(await probe(http(port)), { result: 'failure', message: 'HTTP status 503: no' });
  t.is((await probe(http(port, { path: '/away' }))).result, 'success');
  t.deepEqual(await probe(http(port, { path: '/loop' })), { result: 'failure', message: 'stopped after 10 redirects' });
});

test('a server that keeps silent has failed after the timeout, one that talks on and on has answered', async (t) => {
  const silent = await listening(
    t,
    createTcpServer((socket) => socket.resume().unref()),
  );
  t.deepEqual(await probe(http(silent), 1), { result: 'failure', message: 'no answer within 1 s' });
  const endless = await web(t, (_, response) => {
    const more = (): void => void response.write('x'.repeat(4096), more);
    more();
    response.on('error', () => undefined);
  });
  t.is((await probe(http(endless))).result, 'success');
});

test('nobody behind a port is a failure', async (t) => {
  const server = createTcpServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  await new Promise((resolve) => {
    server.close(resolve);
  });
  for (const action of [
    http(port),
    { kind: 'tcpSocket', host: undefined, port },
    { kind: 'grpc', port, service: '' },
  ] as const) {
    const { result, message } = await probe(action);
    t.is(result, 'failure', action.kind);
    t.regex(message, /ECONNREFUSED/, action.kind);
  }
});

test('a certificate of nobody knows whom is fine', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-probe-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const [key, cert] = [join(directory, 'key'), join(directory, 'cert')];
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  execFileSync('openssl', [...words, '-subj', '/CN=nobody', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const options = { key: readFileSync(key), cert: readFileSync(cert) };
  const port = await listening(
    t,
    createTlsServer(options, (_, response) => response.end('ok')),
  );
  t.deepEqual(await probe(http(port, { scheme: 'HTTPS' })), { result: 'success', message: 'HTTP status 200: ok' });
  t.is((await probe(http(port))).result, 'failure', 'not without TLS');
});

test('a connection that can be opened is a success', async (t) => {
  const port = await listening(
    t,
    createTcpServer((socket) => socket.destroy()),
  );
  t.is((await probe({ kind: 'tcpSocket', host: undefined, port })).result, 'success');
  t.is((await probe({ kind: 'tcpSocket', host: '127.0.0.1', port })).result, 'success');
});

/** A health service as gRPC servers have it: `answer` gets the name of the service. */
function grpcServer(
  t: ExecutionContext,
  answer: (stream: ServerHttp2Stream, service: string) => void,
): Promise<number> {
  const server = createHttp2Server();
  server.on('stream', (stream, headers) => {
    t.is(headers[':path'], '/grpc.health.v1.Health/Check');
    t.is(headers['content-type'], 'application/grpc');
    t.is(headers['te'], 'trailers');
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => answer(stream, Buffer.concat(chunks).subarray(7).toString()));
  });
  return listening(t, server);
}

function serving(stream: ServerHttp2Stream, status: number): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
}

test('gRPC: SERVING is a success, anything else a failure', async (t) => {
  const port = await grpcServer(t, (stream, service) => {
    if (service === '' || service === 'good') return serving(stream, 1);
    if (service === 'bad') return serving(stream, 2);
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'unknown service' },
      { endStream: true },
    );
  });
  const ask = (service: string): Promise<ProbeOutcome> => probe({ kind: 'grpc', port, service });
  t.deepEqual(await ask(''), { result: 'success', message: 'gRPC health SERVING' });
  t.deepEqual(await ask('good'), { result: 'success', message: 'gRPC health SERVING' });
  t.deepEqual(await ask('bad'), { result: 'failure', message: 'gRPC health NOT_SERVING' });
  t.deepEqual(await ask('other'), { result: 'failure', message: 'gRPC status 5: unknown service' });
});

test('gRPC: a web server of another kind, and one that is silent, are failures', async (t) => {
  const plain = await web(t, (_, response) => response.end('hello'));
  t.is((await probe({ kind: 'grpc', port: plain, service: '' })).result, 'failure');
  const silent = await grpcServer(t, () => undefined);
  t.deepEqual(await probe({ kind: 'grpc', port: silent, service: '' }, 1), {
    result: 'failure',
    message: 'no answer within 1 s',
  });
});

test('a probe that is interrupted says nothing', async (t) => {
  const silent = await listening(
    t,
    createTcpServer((socket) => socket.unref()),
  );
  const controller = new AbortController();
  const asked = runProbe(http(silent), SUBJECT, { timeoutSeconds: 30, signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  t.is((await asked).result, 'error');
});
