// Authentication, redirects and retries of the registry client, against a registry in this process.
import test, { type ExecutionContext } from 'ava';

import { isOciError, type OciErrorCode } from '../../../../src/oci/error.ts';
import { RegistryClient, type RegistryOptions } from '../../../../src/oci/image/registry/client.ts';
import { Credentials } from '../../../../src/oci/image/registry/credentials.ts';
import { contentOf, sendError, startRegistry, type Exchange, type FaultRegistry } from '../fault-registry.ts';
import { sampleImage } from '../sample-image.ts';

const retry = { attempts: 3, baseMs: 1, maxMs: 2, maxRetryAfterMs: 10 };
const alice = new Credentials({ username: 'alice', password: 's3cret' });
const BASIC = `Basic ${Buffer.from('alice:s3cret').toString('base64')}`;
const image = sampleImage({ layerBytes: [50_000] });
const layerDigest = image.layerDigests[0] ?? '';
const layer = { digest: layerDigest, size: image.blobs.get(layerDigest)?.length ?? 0, mediaType: '' };

function clientOf(registry: FaultRegistry, options: RegistryOptions = {}): RegistryClient {
  return new RegistryClient({ registry: registry.host, repository: 'team/app' }, { retry, ...options });
}

async function refuses(
  t: ExecutionContext,
  action: Promise<unknown>,
  code: OciErrorCode,
  message: RegExp,
): Promise<void> {
  const error = await t.throwsAsync(action);
  t.true(isOciError(error, code), String(error));
  t.regex(error?.message ?? '', message);
  t.notRegex(JSON.stringify([error?.message, error?.stack, error?.cause]), /s3cret|YWxpY2U/);
}

/** Serves with this Authorization only; everything else is challenged. */
function guarded(expected: string, challenge: string, others: (exchange: Exchange) => boolean = () => false) {
  return (exchange: Exchange): void => {
    if (others(exchange)) return;
    if (exchange.request.headers.authorization === expected) return exchange.serve();
    sendError(exchange.response, 401, { 'www-authenticate': challenge });
  };
}

/** A token service under /token of the registry itself. */
function tokens(token: string) {
  return ({ path, response }: Exchange): boolean => {
    if (path !== '/token') return false;
    response.end(JSON.stringify({ token }));
    return true;
  };
}

test('a registry without authentication is sent none, whatever credentials there are', async (t) => {
  await using registry = await startRegistry(contentOf(image));
  using client = clientOf(registry, { credentials: () => alice });
  t.is((await client.manifest('1')).digest, image.digest);
  t.is(await client.manifestDigest('1'), image.digest);
  t.true((await client.blob(layer)).length > 0);
  t.true(registry.seen.every(({ authorization }) => authorization === undefined));
});

test('a Basic challenge is answered with the credentials', async (t) => {
  await using registry = await startRegistry(contentOf(image), guarded(BASIC, 'Basic realm="here"'));
  using client = clientOf(registry, { credentials: () => alice });
  t.is((await client.manifest('1')).digest, image.digest);
  await client.blob(layer);
  t.deepEqual(
    registry.seen.map(({ authorization }) => authorization),
    [undefined, BASIC, BASIC],
  );
});

test('a Basic challenge without credentials is an error that says so', async (t) => {
  await using registry = await startRegistry(contentOf(image), guarded(BASIC, 'Basic realm="here"'));
  using client = clientOf(registry);
  await refuses(t, client.manifest('1'), 'REGISTRY_UNAUTHORIZED', /no credentials are configured for 127\.0\.0\.1/);
  t.is(registry.seen.length, 1);
});

test('wrong credentials are tried once, not in a loop', async (t) => {
  await using registry = await startRegistry(contentOf(image), guarded('Basic other', 'Basic realm="here"'));
  using client = clientOf(registry, { credentials: () => alice });
  await refuses(t, client.manifest('1'), 'REGISTRY_UNAUTHORIZED', /answered 401 .*the credentials configured for/);
  t.is(registry.seen.length, 2);
});

test('an anonymous token is fetched with service and scope, and used for all that follows', async (t) => {
  let host = '';
  await using registry = await startRegistry(contentOf(image), (exchange) =>
    guarded(
      'Bearer t0k.en',
      `Bearer realm="http://${host}/token",service="reg",scope="repository:team/app:pull"`,
      tokens('t0k.en'),
    )(exchange),
  );
  host = registry.host;
  using client = clientOf(registry);
  await client.manifest('1');
  await client.blob(layer);
  const asked = registry.seen.filter(({ path }) => path === '/token');
  t.deepEqual(
    asked.map(({ query }) => query),
    ['?service=reg&scope=repository%3Ateam%2Fapp%3Apull'],
  );
  t.is(asked[0]?.authorization, undefined);
});

test('credentials go to the token service and the token to the registry', async (t) => {
  let host = '';
  await using registry = await startRegistry(contentOf(image), (exchange) =>
    guarded('Bearer abc', `Bearer realm="http://${host}/token"`, tokens('abc'))(exchange),
  );
  host = registry.host;
  using client = clientOf(registry, { credentials: () => alice });
  await client.manifest('1');
  t.deepEqual(
    registry.seen.map(({ path, authorization }) => [path === '/token', authorization]),
    [
      [false, undefined],
      [true, BASIC],
      [false, 'Bearer abc'],
    ],
  );
});

test('a token that has expired is renewed once, by all requests together', async (t) => {
  let [host, valid] = ['', 'first'];
  let issued = 0;
  await using registry = await startRegistry(contentOf(image), (exchange) => {
    if (exchange.path !== '/token') return guarded(`Bearer ${valid}`, `Bearer realm="http://${host}/token"`)(exchange);
    issued += 1;
    exchange.response.end(JSON.stringify({ access_token: valid }));
  });
  host = registry.host;
  using client = clientOf(registry);
  await client.manifest('1');
  valid = 'second';
  await Promise.all([client.blob(layer), client.blob(layer), client.manifest('1')]);
  t.is(issued, 2);
});

test('a registry that refuses every token is given up after two requests', async (t) => {
  let host = '';
  await using registry = await startRegistry(contentOf(image), (exchange) =>
    guarded('Bearer never', `Bearer realm="http://${host}/token"`, tokens('abc'))(exchange),
  );
  host = registry.host;
  using client = clientOf(registry);
  await refuses(t, client.manifest('1'), 'REGISTRY_UNAUTHORIZED', /anonymous access does not reach/);
  t.is(registry.seen.filter(({ path }) => path !== '/token').length, 2);
});

test('an identity token is exchanged by POST and never sent to the registry', async (t) => {
  let [host, body] = ['', ''];
  await using registry = await startRegistry(contentOf(image), (exchange) => {
    if (exchange.path !== '/token')
      return guarded('Bearer abc', `Bearer realm="http://${host}/token",service="s"`)(exchange);
    exchange.request.setEncoding('utf8').on('data', (text: string) => (body += text));
    exchange.request.on('end', () => exchange.response.end(JSON.stringify({ access_token: 'abc' })));
  });
  host = registry.host;
  const identity = new Credentials({ username: '<token>', password: '', identityToken: 'refresh-me' });
  using client = clientOf(registry, { credentials: () => identity });
  await client.manifest('1');
  t.is(new URLSearchParams(body).get('refresh_token'), 'refresh-me');
  t.is(new URLSearchParams(body).get('grant_type'), 'refresh_token');
  t.is(registry.seen.find(({ path }) => path === '/token')?.method, 'POST');
});

for (const [what, realm] of [
  ['another host over http', 'http://192.0.2.1/token'],
  ['another site over https', 'https://evil.example/token'],
  ['no URL at all', 'token'],
  ['a file', 'file:///etc/passwd'],
] as const) {
  test(`a realm that is ${what} is not asked`, async (t) => {
    await using registry = await startRegistry(contentOf(image), guarded('Bearer x', `Bearer realm="${realm}"`));
    using client = clientOf(registry, { credentials: () => alice });
    await refuses(t, client.manifest('1'), 'REGISTRY_PROTOCOL', /which is not asked/);
    t.true(registry.seen.every(({ authorization }) => authorization === undefined));
  });
}

test('a token that could break out of its header is refused', async (t) => {
  let host = '';
  await using registry = await startRegistry(contentOf(image), (exchange) =>
    guarded('x', `Bearer realm="http://${host}/token"`, tokens('a\r\nx-evil: 1'))(exchange),
  );
  host = registry.host;
  using client = clientOf(registry);
  await refuses(t, client.manifest('1'), 'REGISTRY_PROTOCOL', /without a usable token/);
});

test('a redirect to other storage is followed without the credentials', async (t) => {
  await using storage = await startRegistry(contentOf(image));
  await using registry = await startRegistry(contentOf(image), (exchange) => {
    if (exchange.path.includes('/blobs/') && exchange.request.headers.authorization === BASIC) {
      exchange.response.writeHead(307, { location: `${storage.url}${exchange.path}?signature=xyz` });
      exchange.response.end();
    } else guarded(BASIC, 'Basic realm="here"')(exchange);
  });
  using client = clientOf(registry, { credentials: () => alice });
  t.is((await client.blob(layer)).length, layer.size);
  t.deepEqual(
    storage.seen.map(({ authorization, query }) => [authorization, query]),
    [[undefined, '?signature=xyz']],
  );
});

test('credentials do not come back after a redirect that returns to the registry', async (t) => {
  let home = '';
  await using storage = await startRegistry(contentOf(image), ({ response, path }) => {
    response.writeHead(307, { location: `${home}${path}?back` });
    response.end();
  });
  await using registry = await startRegistry(contentOf(image), (exchange) => {
    if (exchange.request.url?.endsWith('?back') === true) return exchange.serve();
    if (exchange.request.headers.authorization !== BASIC) return guarded(BASIC, 'Basic realm="x"')(exchange);
    exchange.response.writeHead(307, { location: `${storage.url}${exchange.path}` });
    exchange.response.end();
  });
  home = registry.url;
  using client = clientOf(registry, { credentials: () => alice });
  await client.blob(layer);
  t.is(registry.seen.at(-1)?.query, '?back');
  t.is(registry.seen.at(-1)?.authorization, undefined);
  t.is(storage.seen[0]?.authorization, undefined);
});

test('a storage that asks for credentials gets none', async (t) => {
  await using storage = await startRegistry(contentOf(image), guarded('x', 'Basic realm="give me"'));
  await using registry = await startRegistry(contentOf(image), ({ response, path }) => {
    response.writeHead(302, { location: `${storage.url}${path}?signature=xyz` });
    response.end();
  });
  using client = clientOf(registry, { credentials: () => alice });
  await refuses(t, client.blob(layer), 'REGISTRY_UNAUTHORIZED', /storage answered 401 [^?]*$/);
  t.true(storage.seen.every(({ authorization }) => authorization === undefined));
});

test('a proxy is used when the environment names one, and only for hosts that it does not exempt', async (t) => {
  await using proxy = await startRegistry(contentOf(image));
  const registry = { registry: 'registry.invalid:8080', repository: 'team/app' };
  const options = { retry: { ...retry, attempts: 1 }, insecureRegistries: ['registry.invalid:8080'] };
  using client = new RegistryClient(registry, { ...options, proxyEnv: { HTTP_PROXY: proxy.url } });
  t.is((await client.manifest('1')).digest, image.digest);
  t.is((await client.blob(layer)).length, layer.size);
  const exempt = { HTTP_PROXY: proxy.url, NO_PROXY: 'registry.invalid' };
  using direct = new RegistryClient(registry, { ...options, proxyEnv: exempt });
  await refuses(t, direct.manifest('1'), 'REGISTRY_UNREACHABLE', /registry\.invalid/);
});

for (const [what, location] of [
  ['to a file', 'file:///etc/passwd'],
  ['with a password', 'https://user:word@example.invalid/'],
  ['nowhere', ''],
  ['to something that is no URL', 'http://['],
] as const) {
  test(`a redirect ${what} is refused`, async (t) => {
    await using registry = await startRegistry(contentOf(image), ({ response, count }) => {
      response.writeHead(302, location === '' && count > 0 ? {} : { location });
      response.end();
    });
    using client = clientOf(registry);
    await refuses(t, client.blob(layer), 'REGISTRY_PROTOCOL', /redirects/);
  });
}

test('redirects in a circle end', async (t) => {
  await using registry = await startRegistry(contentOf(image), ({ response, path }) => {
    response.writeHead(302, { location: path });
    response.end();
  });
  using client = clientOf(registry);
  await refuses(t, client.blob(layer), 'REGISTRY_PROTOCOL', /more than 5 times/);
});

test("a registry's message is shown without control characters and not at length", async (t) => {
  await using registry = await startRegistry(contentOf(image), ({ response }) => {
    response.writeHead(404);
    response.end(JSON.stringify({ errors: [{ code: 'X', message: `\u001B[2J${'y'.repeat(10_000)}` }] }));
  });
  using client = clientOf(registry);
  const error = await t.throwsAsync(client.manifest('1'));
  t.false(error?.message.includes('\u001B'));
  t.true((error?.message.length ?? 0) < 500);
});
