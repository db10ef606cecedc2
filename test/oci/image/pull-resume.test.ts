// Pulls that are interrupted: by the network, by a crash, by the caller, by another pull.
import { readdirSync, truncateSync, writeFileSync } from 'node:fs';

import test from 'ava';

import { partialPath } from '../../../src/oci/image/blob-ingest.ts';
import { blobPath } from '../../../src/oci/image/content-store.ts';
import { readIndex } from '../../../src/oci/image/image-index.ts';
import { pullImage } from '../../../src/oci/image/pull.ts';

import { rangeStart, sendThenCut } from './fault-registry.ts';
import { faulty, layerRequests, pulls, refuses, retry, scene } from './pull-scene.ts';

for (const offset of [0, 1, 4095, 70_000, 199_999]) {
  test(`a blob that is cut after ${offset} bytes is resumed there`, async (t) => {
    const stage = scene(t);
    await using registry = await faulty(stage, ({ response, count, serve }) =>
      count === 1 ? sendThenCut(response, stage.layer, { start: 0, bytes: offset }) : serve(),
    );
    await pulls(t, stage, registry.host);
    const ranges = layerRequests(stage, registry);
    t.is(ranges.length, 2);
    t.is(ranges[1]?.range, offset === 0 ? undefined : `bytes=${offset}-`);
    t.is(stage.layers.begun, 1);
  });
}

test('a blob that is cut again and again is finished while every try brings it further', async (t) => {
  const stage = scene(t, 1_000_000);
  await using registry = await faulty(stage, ({ request, response }) =>
    sendThenCut(response, stage.layer, { start: rangeStart(request), bytes: 100_000 }),
  );
  await pulls(t, stage, registry.host);
  t.true(layerRequests(stage, registry).length > 10);
});

test('a blob that is always cut before it brings anything is given up after the allowed tries', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response }) => {
    response.socket?.destroy();
  });
  await refuses(t, stage, { host: registry.host, code: 'REGISTRY_UNREACHABLE', message: /cannot be reached/ });
  t.is(layerRequests(stage, registry).length, retry.attempts);
});

test('a registry that ignores Range sends the blob again, and the bytes that are here are skipped', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response, count }) => {
    if (count === 1) return sendThenCut(response, stage.layer, { start: 0, bytes: 50_000 });
    response.writeHead(200, { 'content-length': stage.layer.length });
    response.end(stage.layer);
  });
  await pulls(t, stage, registry.host);
  t.is(stage.layers.begun, 1);
});

test('a resumed blob whose second piece is wrong is fetched once more from the start', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ request, response, count, serve }) => {
    if (count === 1) return sendThenCut(response, stage.layer, { start: 0, bytes: 50_000 });
    if (count > 2) return serve();
    const start = rangeStart(request);
    response.writeHead(206, { 'content-range': `bytes ${start}-${stage.layer.length - 1}/${stage.layer.length}` });
    response.end(Buffer.alloc(stage.layer.length - start));
  });
  await pulls(t, stage, registry.host);
  t.is(stage.layers.begun, 2);
  t.is(stage.layers.aborted, 1);
});

test('a registry that answers a Range with another range is refused', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response, count }) => {
    if (count === 1) return sendThenCut(response, stage.layer, { start: 0, bytes: 50_000 });
    response.writeHead(206, { 'content-range': `bytes 10-${stage.layer.length - 1}/${stage.layer.length}` });
    response.end(stage.layer.subarray(10));
  });
  await refuses(t, stage, { host: registry.host, code: 'REGISTRY_PROTOCOL', message: /from byte 10/ });
});

test('what an interrupted process received is not fetched again', async (t) => {
  const stage = scene(t);
  writeFileSync(partialPath(stage.store, stage.layerDigest), stage.layer.subarray(0, 123_456));
  await using registry = await faulty(stage, ({ serve }) => serve());
  await pulls(t, stage, registry.host);
  const requests = layerRequests(stage, registry);
  t.deepEqual(
    requests.map(({ range }) => range),
    ['bytes=123456-'],
  );
});

for (const [kept, ranges] of [
  [100, ['bytes=150000-', undefined]],
  [0, [undefined]],
] as const) {
  test(`a partial blob of which a power cut left ${kept} bytes and zeros is thrown away and fetched whole`, async (t) => {
    const stage = scene(t);
    const partial = Buffer.concat([stage.layer.subarray(0, kept), Buffer.alloc(150_000 - kept)]);
    writeFileSync(partialPath(stage.store, stage.layerDigest), partial);
    await using registry = await faulty(stage, ({ serve }) => serve());
    await pulls(t, stage, registry.host);
    t.deepEqual(
      layerRequests(stage, registry).map(({ range }) => range),
      [...ranges],
    );
  });
}

test('a partial blob that is longer than the blob is thrown away', async (t) => {
  const stage = scene(t);
  writeFileSync(partialPath(stage.store, stage.layerDigest), Buffer.alloc(stage.layer.length + 1));
  await using registry = await faulty(stage, ({ serve }) => serve());
  await pulls(t, stage, registry.host);
});

test('a connection on which nothing moves is cut and the blob resumed', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ response, count, serve }) => {
    if (count > 1) return serve();
    response.writeHead(200, { 'content-length': stage.layer.length });
    response.write(stage.layer.subarray(0, 30_000));
  });
  await pulls(t, stage, registry.host);
  const requests = layerRequests(stage, registry);
  t.deepEqual(
    requests.map(({ range }) => range),
    [undefined, 'bytes=30000-'],
  );
});

test('a blob on disk that lost its bytes is fetched again when its layer has to be unpacked', async (t) => {
  const stage = scene(t);
  await using registry = await faulty(stage, ({ serve }) => serve());
  await pulls(t, stage, registry.host);
  await stage.layers.remove(stage.image.diffIDs[0] ?? '');
  const path = blobPath(stage.store, stage.layerDigest);
  truncateSync(path, 1000);
  truncateSync(path, stage.layer.length);
  await pulls(t, stage, registry.host);
  t.is(layerRequests(stage, registry).length, 2);
});

test('an aborted pull rejects with the reason, throws the layer away and keeps what came for the next time', async (t) => {
  const stage = scene(t);
  const { store, layers } = stage;
  const stop = new AbortController();
  await using registry = await faulty(stage, ({ response }) => {
    response.writeHead(200, { 'content-length': stage.layer.length });
    response.write(stage.layer.subarray(0, 30_000), () => stop.abort(new Error('enough')));
  });
  const options = { store, layers, registry: { retry }, signal: stop.signal };
  await t.throwsAsync(pullImage(`${registry.host}/app:1`, options), { message: 'enough' });
  t.deepEqual(layers.list(), []);
  t.is(layers.aborted, 1);
  t.deepEqual(readIndex(store), []);
  t.true(readdirSync(store.ingestDirectory).every((name) => !name.endsWith('.lock')));
});

test('two pulls at once fetch each blob once', async (t) => {
  const stage = scene(t, 3_000_000);
  const { store, layers } = stage;
  await using registry = await faulty(stage, ({ serve }) => serve());
  const options = { store, layers, registry: { retry } };
  await Promise.all([pullImage(`${registry.host}/app:1`, options), pullImage(`${registry.host}/app:1`, options)]);
  t.is(layerRequests(stage, registry).length, 1);
  t.is(layers.begun, 1);
});
