import test from 'ava';

import { isLoopback, registryOrigin } from '../../../../src/oci/image/registry/origin.ts';
import { acceptRealm, sameSite } from '../../../../src/oci/image/registry/realm.ts';
import { redirectTarget } from '../../../../src/oci/image/registry/redirect.ts';

const accepted: readonly (readonly [string, string])[] = [
  ['https://registry-1.docker.io', 'https://auth.docker.io/token'],
  ['https://ghcr.io', 'https://ghcr.io/token'],
  ['https://registry.gitlab.com', 'https://gitlab.com/jwt/auth'],
  ['https://registry.example.com', 'https://auth.example.com/token'],
  ['https://registry.example.com:5000', 'https://registry.example.com/token'],
  ['https://lscr.io', 'https://ghcr.io/token'],
  ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/token'],
  ['http://localhost:5000', 'http://127.0.0.1:5001/token'],
  ['http://registry.lan:5000', 'http://registry.lan:5001/token'],
  ['https://team.azurecr.io', 'https://team.azurecr.io/oauth2/token'],
];

for (const [registry, realm] of accepted) {
  test(`${registry} may send to ${realm}`, (t) => {
    t.is(String(acceptRealm(realm, new URL(registry))), new URL(realm).href);
  });
}

const refused: readonly (readonly [string, string])[] = [
  ['https://ghcr.io', 'https://evil.example/token'],
  ['https://ghcr.io', 'https://ghcr.io.evil.example/token'],
  ['https://ghcr.io', 'https://evil-ghcr.io/token'],
  ['https://ghcr.io', 'http://ghcr.io/token'],
  ['https://ghcr.io', 'https://user:word@ghcr.io/token'],
  ['https://ghcr.io', 'https://other.io/token'],
  ['https://registry.co.uk', 'https://evil.co.uk/token'],
  ['https://victim.azurecr.io', 'https://evil.azurecr.io/token'],
  ['https://1.dkr.ecr.eu-west-1.amazonaws.com', 'https://evil.eu-west-1.amazonaws.com/'],
  ['https://10.0.0.1', 'https://10.0.0.2/token'],
  ['http://registry.lan:5000', 'http://other.lan/token'],
  ['http://registry.lan:5000', 'http://127.0.0.1/token'],
  ['http://127.0.0.1:5000', 'http://192.0.2.1/token'],
  ['https://ghcr.io', 'ftp://ghcr.io/'],
  ['https://ghcr.io', ''],
];

for (const [registry, realm] of refused) {
  test(`${registry} may not send to "${realm}"`, (t) => {
    t.is(typeof acceptRealm(realm, new URL(registry)), 'string');
  });
}

test('a host that the user allows may be sent to, but not without https', (t) => {
  const registry = new URL('https://ghcr.io');
  t.true(acceptRealm('https://sso.example/token', registry, ['sso.example']) instanceof URL);
  t.is(acceptRealm('http://sso.example/token', registry, ['sso.example']), 'it is not https');
});

test('a site is a parent domain with one owner', (t) => {
  t.true(sameSite('auth.a.example.com', 'registry.a.example.com'));
  t.true(sameSite('example.com', 'registry.example.com'));
  t.false(sameSite('com', 'example.com'));
  t.false(sameSite('notexample.com', 'registry.example.com'));
});

function origin(registry: string): string {
  return registryOrigin({ registry }, ['registry.lan:5000']).origin;
}

test('registries are reached by https, but for loopback and those named insecure', (t) => {
  t.is(origin('docker.io'), 'https://registry-1.docker.io');
  t.is(origin('ghcr.io'), 'https://ghcr.io');
  t.is(origin('localhost:5000'), 'http://localhost:5000');
  t.is(origin('127.8.9.1:5000'), 'http://127.8.9.1:5000');
  t.is(origin('[::1]:5000'), 'http://[::1]:5000');
  t.is(origin('registry.lan:5000'), 'http://registry.lan:5000');
  t.is(origin('registry.lan'), 'https://registry.lan');
  t.is(origin('127.0.0.1.evil.example'), 'https://127.0.0.1.evil.example');
  t.false(isLoopback('127.evil.example'));
});

test('a redirect keeps https, and may go from http to anywhere', (t) => {
  const secure = new URL('https://ghcr.io/v2/a');
  t.is(redirectTarget(secure, '/b').href, 'https://ghcr.io/b');
  t.is(redirectTarget(secure, 'https://cdn.example/x').host, 'cdn.example');
  t.throws(() => redirectTarget(secure, 'http://cdn.example/x'), { message: /which is not https/ });
  t.is(redirectTarget(new URL('http://127.0.0.1/'), 'http://cdn.example/x').host, 'cdn.example');
});
