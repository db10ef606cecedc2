import { createHmac } from 'node:crypto';

import test, { type ExecutionContext } from 'ava';

import { serveHttp } from '../../src/agent/http.ts';
import { formatAddress } from '../../src/agent/listen-address.ts';
import { isAuthentic, webhookHandler, type Webhook } from '../../src/agent/webhook.ts';

const SECRET = "It's a Secret to Everybody";
const BODY = 'Hello, World!';

type Scene = { readonly url: string; readonly calls: string[]; readonly clock: { now: number } };

async function scene(t: ExecutionContext, secret: () => Promise<string> = async () => SECRET): Promise<Scene> {
  const calls: string[] = [];
  const clock = { now: 0 };
  const hook = (name: string): Webhook => ({ name, secret, onCall: () => void calls.push(name) });
  const http = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    metrics: { contentType: 'text/plain', scrape: () => Promise.resolve('') },
    hooks: webhookHandler([hook('fleet'), hook('other')], () => clock.now),
    unready: () => [],
    onError: () => {},
  });
  t.teardown(() => http.close());
  return { url: `http://${formatAddress(http.address)}/hooks`, calls, clock };
}

function mac(body: string, secret = SECRET): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

function post(url: string, headers: Readonly<Record<string, string>>, body = BODY): Promise<Response> {
  return fetch(url, { method: 'POST', headers, body });
}

test('a signature is that of the example in the documentation of GitHub', (t) => {
  // "Validating webhook deliveries": this secret and this payload make this signature.
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  t.true(isAuthentic({ 'x-hub-signature-256': signature }, Buffer.from(BODY), SECRET));
});

test('GitHub, Gitea and GitLab may call, each hook its own source', async (t) => {
  const { url, calls } = await scene(t);
  t.is((await post(`${url}/fleet`, { 'x-hub-signature-256': `sha256=${mac(BODY)}` })).status, 202);
  t.is((await post(`${url}/other?x=1`, { 'x-gitea-signature': mac(BODY) })).status, 202);
  t.is((await post(`${url}/fleet`, { 'x-gitlab-token': SECRET })).status, 202);
  t.deepEqual(calls, ['fleet', 'other', 'fleet']);
});

const WRONG: readonly (readonly [what: string, headers: Readonly<Record<string, string>>])[] = [
  ['no signature', {}],
  ['a signature by another secret', { 'x-hub-signature-256': `sha256=${mac(BODY, 'other')}` }],
  ['a signature over another body', { 'x-hub-signature-256': `sha256=${mac('other')}` }],
  ['a signature without its method', { 'x-hub-signature-256': mac(BODY) }],
  ['SHA-1', { 'x-hub-signature': `sha1=${createHmac('sha1', SECRET).update(BODY).digest('hex')}` }],
  ['an empty signature', { 'x-gitea-signature': '' }],
  ['another token', { 'x-gitlab-token': `${SECRET}x` }],
  ['a wrong signature beside the right token', { 'x-hub-signature-256': 'sha256=0', 'x-gitlab-token': SECRET }],
];

for (const [what, headers] of WRONG) {
  test(`${what} calls nothing`, async (t) => {
    const { url, calls } = await scene(t);
    t.is((await post(`${url}/fleet`, headers)).status, 401);
    t.deepEqual(calls, []);
  });
}

test('another name, another method and a large body are refused', async (t) => {
  const { url, calls } = await scene(t);
  const headers = { 'x-gitlab-token': SECRET };
  t.is((await post(`${url}/none`, headers)).status, 404);
  t.is((await post(`${url}/`, headers)).status, 404);
  t.is((await fetch(`${url}/fleet`, { headers })).status, 405);
  t.is((await post(`${url}/fleet`, headers, 'x'.repeat(1024 * 1024 + 1)).catch(() => undefined))?.status ?? 413, 413);
  t.is((await post(`${url}/fleet`, headers, 'x'.repeat(1024 * 1024))).status, 202);
  t.deepEqual(calls, ['fleet']);
});

test('calls beyond ten at once, and one each two seconds after that, are turned away', async (t) => {
  const { url, calls, clock } = await scene(t);
  const headers = { 'x-gitlab-token': SECRET };
  const status = async () => (await post(`${url}/fleet`, headers)).status;
  for (let count = 0; count < 10; count += 1) t.is(await status(), 202);
  t.is(await status(), 429);
  t.is((await post(`${url}/other`, headers)).status, 202, 'another hook has its own');
  clock.now += 2000;
  t.is(await status(), 202);
  t.is(await status(), 429);
  t.is(calls.length, 12);
});

test('a secret that cannot be read is an error of the agent and calls nothing', async (t) => {
  const { url, calls } = await scene(t, () => Promise.reject(new Error('EACCES')));
  const response = await post(`${url}/fleet`, { 'x-gitlab-token': '' });
  t.is(response.status, 500);
  t.false((await response.text()).includes('EACCES'));
  t.deepEqual(calls, []);
});
