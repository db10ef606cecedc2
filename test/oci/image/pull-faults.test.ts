// What a registry can do wrong while an image is pulled: the outcome, and that nothing bad is kept.
import { readdirSync } from 'node:fs';

import test from 'ava';

import { isOciError } from '../../../src/oci/error.ts';
import { pullImage } from '../../../src/oci/image/pull.ts';

import { sendError } from './fault-registry.ts';
import { faulty, layerRequests, pulls, refuses, retry, scene } from './pull-scene.ts';

test('429 with Retry-After is waited for', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response, count, serve }) =>
    count === 1 ? sendError(response, 429, { 'retry-after': '1' }) : serve(),
  );
  await pulls(t, stage, registry.host);
  t.is(layerRequests(stage, registry).length, 2);
});

test('429 that asks for more patience than is allowed is an error at once', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response }) => sendError(response, 429, { 'retry-after': '3600' }));
  await refuses(t, stage, {
    host: registry.host,
    code: 'REGISTRY_RATE_LIMITED',
    message: /answered 429 Too Many Requests/,
  });
  t.is(layerRequests(stage, registry).length, 1);
});

test('500 once is tried again', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response, count, serve }) =>
    count === 1 ? sendError(response, 500) : serve(),
  );
  await pulls(t, stage, registry.host);
});

test('500 for ever is given up after the allowed tries, and the message says what the registry said', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response }) => sendError(response, 500));
  const message = /registry answered 500 Internal Server Error to GET http.*\(FAULT_500: as told\)/;
  await refuses(t, stage, { host: registry.host, code: 'REGISTRY_FAILED', message });
  t.is(layerRequests(stage, registry).length, retry.attempts);
});

test('404 is an error at once', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response }) => sendError(response, 404));
  await refuses(t, stage, { host: registry.host, code: 'REGISTRY_NOT_FOUND', message: /404 Not Found/ });
  t.is(layerRequests(stage, registry).length, 1);
});

test('a blob with other bytes is refused', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response }) => {
    const wrong = Buffer.from(stage.layer);
    wrong[1000] = (wrong[1000] ?? 0) ^ 1;
    response.writeHead(200, { 'content-length': wrong.length });
    response.end(wrong);
  });
  await refuses(t, stage, { host: registry.host, code: 'DIGEST_MISMATCH', message: /have another digest/ });
  t.is(stage.layers.aborted, 1);
  t.deepEqual(readdirSync(stage.store.ingestDirectory), []);
});

test('a blob that the unpacker refuses is not resumed but thrown away', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response }) => {
    response.writeHead(200, { 'content-length': stage.layer.length });
    response.write(Buffer.alloc(100_000), () => response.socket?.end());
  });
  await refuses(t, stage, { host: registry.host, code: 'LAYER_INVALID', message: /is no gzip stream/ });
  t.deepEqual(readdirSync(stage.store.ingestDirectory), []);
});

test('a blob that is announced shorter or longer than its descriptor says is refused before a byte is read', async (t) => {
  for (const difference of [-1, 1]) {
    const stage = scene(t);
    await using registry = await faulty(stage, ({ response }) => {
      response.writeHead(200, { 'content-length': stage.layer.length + difference });
      response.end(Buffer.alloc(stage.layer.length + difference));
    });
    await refuses(t, stage, { host: registry.host, code: 'SIZE_MISMATCH', message: /registry announces/ });
  }
});

test('a blob that goes on after its size is refused and thrown away', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response }) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' });
    response.write(stage.layer);
    response.end('x');
  });
  await refuses(t, stage, { host: registry.host, code: 'SIZE_MISMATCH', message: /goes on after its/ });
  t.deepEqual(readdirSync(stage.store.ingestDirectory), []);
});

test('a blob that always ends early without an error is refused after the allowed tries', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response }) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' });
    response.end(stage.layer.subarray(0, 1000));
  });
  await refuses(t, stage, { host: registry.host, code: 'SIZE_MISMATCH', message: /ended after 1000 of/ });
});

test('a pull that would leave less than the reserve is refused before any layer is asked for', async (t) => {
  const stage = scene(t);
  const { store, layers } = stage;
  await using registry = await faulty(stage, ({ serve }) => serve());
  const options = { store, layers, registry: { retry }, reserveBytes: Number.MAX_SAFE_INTEGER };
  const error = await t.throwsAsync(pullImage(`${registry.host}/app:1`, options));
  t.true(isOciError(error, 'DISK_FULL'));
  t.regex(error?.message ?? '', /stay in reserve; about [0-9]+ MiB are needed/);
  t.deepEqual(layerRequests(stage, registry), []);
});
