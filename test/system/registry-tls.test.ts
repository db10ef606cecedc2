// Large reads over TLS, and what is said of a certificate that nobody here trusts. Needs openssl for the certificate.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { isOciError } from '../../src/oci/error.ts';
import { HttpConnections, readBody } from '../../src/oci/image/registry/http.ts';

const missing = spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl is not installed';
const usable = missing === undefined ? test : test.skip;
const why = missing === undefined ? '' : ` (skipped: ${missing})`;
const content = randomBytes(3_000_000);

type Server = AsyncDisposable & { readonly url: URL; readonly certificate: string };

async function startServer(): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-tls-'));
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const names = ['-subj', '/CN=berth', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', certificate, ...names], {
    stdio: 'ignore',
  });
  const [keyText, certificateText] = [key, certificate].map((path) => readFileSync(path, 'utf8'));
  rmSync(directory, { recursive: true });
  const server = createServer({ key: keyText, cert: certificateText }, (_, response) => response.end(content));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/blob`),
    certificate: certificateText ?? '',
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

usable(`bytes arrive whole over TLS, on a connection that is used again${why}`, async (t) => {
  await using server = await startServer();
  using connections = new HttpConnections({ ca: server.certificate });
  for (let times = 0; times < 3; times += 1) {
    const answer = await connections.send({ method: 'GET', url: server.url, headers: {}, signal: undefined });
    t.true((await readBody(answer, server.url, content.length)).equals(content));
  }
});

usable(`a certificate that is not trusted is an error at once, with a hint${why}`, async (t) => {
  await using server = await startServer();
  using connections = new HttpConnections();
  const sent = connections.send({ method: 'GET', url: server.url, headers: {}, signal: undefined });
  const error = await t.throwsAsync(sent);
  t.true(isOciError(error, 'REGISTRY_UNREACHABLE'), String(error));
  t.regex(error?.message ?? '', /certificate is not trusted here: NODE_EXTRA_CA_CERTS/);
});

usable(`a registry that speaks http where https was expected is named as such${why}`, async (t) => {
  const { createServer: createPlain } = await import('node:http');
  const server = createPlain((_, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  using connections = new HttpConnections();
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const error = await t.throwsAsync(connections.send({ method: 'GET', url, headers: {}, signal: undefined }));
  t.true(isOciError(error, 'REGISTRY_UNREACHABLE'), String(error));
  t.regex(error?.message ?? '', /it may speak plain http/);
});
