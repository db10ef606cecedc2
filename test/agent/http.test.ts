import { connect } from 'node:net';
import { once } from 'node:events';

import test, { type ExecutionContext } from 'ava';

import { ListenError, serveHttp, type HttpOptions } from '../../src/agent/http.ts';
import { formatAddress } from '../../src/agent/listen-address.ts';

async function service(t: ExecutionContext, options: Partial<HttpOptions> = {}): Promise<string> {
  const http = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    metrics: { contentType: 'text/plain; version=0.0.4', scrape: () => Promise.resolve('up 1\n') },
    unready: () => [],
    onError: () => {},
    ...options,
  });
  t.teardown(() => http.close());
  return `http://${formatAddress(http.address)}`;
}

test('/metrics answers with what a scrape gives, in its content type', async (t) => {
  const response = await fetch(`${await service(t)}/metrics`);
  t.is(response.status, 200);
  t.is(response.headers.get('content-type'), 'text/plain; version=0.0.4');
  t.is(await response.text(), 'up 1\n');
});

test('/healthz answers as long as the agent runs', async (t) => {
  const response = await fetch(`${await service(t, { unready: () => ['not yet'] })}/healthz`);
  t.is(response.status, 200);
});

test('/readyz says what is missing', async (t) => {
  const reasons = ['source /a has not been read yet'];
  const url = `${await service(t, { unready: () => reasons })}/readyz`;
  const before = await fetch(url);
  t.is(before.status, 503);
  t.is(await before.text(), 'source /a has not been read yet\n');
  reasons.pop();
  t.is((await fetch(url)).status, 200);
});

test('anything else is not there, and nothing can be written', async (t) => {
  const url = await service(t);
  t.is((await fetch(`${url}/`)).status, 404);
  t.is((await fetch(`${url}/metrics/`)).status, 404);
  t.is((await fetch(`${url}/metrics?format=x`)).status, 200);
  t.is((await fetch(`${url}/metrics`, { method: 'HEAD' })).status, 200);
  const post = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
  t.is(post.status, 405);
  t.is(post.headers.get('allow'), 'GET, HEAD');
});

test('a scrape that fails is an error of this request alone', async (t) => {
  const failures: unknown[] = [];
  const metrics = { contentType: 'x', scrape: () => Promise.reject(new Error('no /proc')) };
  const url = await service(t, { metrics, onError: (error) => failures.push(error) });
  t.is((await fetch(`${url}/metrics`)).status, 500);
  t.is((await fetch(`${url}/healthz`)).status, 200);
  t.is(failures.length, 1);
});

test('a port that is taken is a clear error', async (t) => {
  const [host = '', port = ''] = new URL(await service(t)).host.split(':');
  const address = { host, port: Number(port) };
  const error = await t.throwsAsync(service(t, { address }), { instanceOf: ListenError });
  t.regex(error?.message ?? '', /^Cannot listen on 127\.0\.0\.1:\d+: another program has the port; .*--listen/);
});

test('closing does not wait for a client that says nothing', async (t) => {
  const http = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    metrics: { contentType: 'x', scrape: () => Promise.resolve('') },
    unready: () => [],
    onError: () => {},
  });
  const socket = connect(http.address.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  await http.close();
  await closed;
  t.pass();
});

test('a head that is too large is refused', async (t) => {
  const response = await fetch(`${await service(t)}/healthz`, { headers: { cookie: 'x'.repeat(20_000) } });
  t.is(response.status, 431);
});
