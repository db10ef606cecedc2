import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { isOciError } from '../../../src/oci/error.ts';
import { blobPath, openContentStore, type ContentStore } from '../../../src/oci/image/content-store.ts';
import { tagImage } from '../../../src/oci/image/image-index.ts';
import { pullImage } from '../../../src/oci/image/pull.ts';
import { pushImage } from '../../../src/oci/image/push.ts';
import { parseReference } from '../../../src/oci/image/reference.ts';
import { Credentials } from '../../../src/oci/image/registry/credentials.ts';
import { findReference } from '../../../src/oci/image/resolve.ts';

import { contentOf, sendError, startRegistry, type Exchange, type FaultRegistry } from './fault-registry.ts';
import { MemoryLayers } from './memory-layers.ts';
import { sampleImage } from './sample-image.ts';

const FAST = { attempts: 3, baseMs: 1, maxMs: 2, maxRetryAfterMs: 10 };
const NAME = 'localhost/app:1';

async function storeWith(t: ExecutionContext, image: ReturnType<typeof sampleImage>): Promise<ContentStore> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-push-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const store = openContentStore(directory);
  await using source = await startRegistry(contentOf(image));
  const pulled = await pullImage(`${source.host}/app:1`, { store, layers: new MemoryLayers() });
  const entry = findReference(store, parseReference(pulled.reference));
  if (entry !== undefined) await tagImage(store, NAME, entry);
  return store;
}

/** A registry that is empty at first, and keeps what it is sent; `fault` may answer instead, and says so by `true`. */
async function emptyRegistry(
  uploadOrigin: () => string,
  fault: (exchange: Exchange) => boolean = () => false,
): Promise<{ registry: FaultRegistry; kept: Map<string, Buffer> }> {
  const kept = new Map<string, Buffer>();
  const registry = await startRegistry({ manifests: new Map(), blobs: kept }, (exchange) => {
    if (!fault(exchange)) answer(exchange, kept, uploadOrigin());
  });
  return { registry, kept };
}

function answer({ request, response, path, serve }: Exchange, kept: Map<string, Buffer>, origin: string): void {
  if (request.method === 'HEAD') return serve();
  if (request.method === 'POST') {
    response.writeHead(202, { location: `${origin}/v2/app/blobs/uploads/7?state=a%2Bb` }).end();
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const digest = new URL(request.url ?? '', 'http://registry').searchParams.get('digest');
    kept.set(digest ?? path, Buffer.concat(chunks));
    response.writeHead(201).end();
  });
}

test('blobs come before the manifest, and all arrive as they are', async (t) => {
  const image = sampleImage({ layerBytes: [300_000, 1000] });
  const store = await storeWith(t, image);
  const { registry, kept } = await emptyRegistry(() => '');
  await using _open = registry;
  t.is(await pushImage(NAME, `${registry.host}/app:2`, { store }), image.digest);
  for (const [digest, bytes] of image.blobs) t.deepEqual(kept.get(digest), bytes);
  t.deepEqual(kept.get('/v2/app/manifests/2'), image.manifest);
  t.is(registry.seen.at(-1)?.path, '/v2/app/manifests/2');
});

test('a registry that fails for a moment is asked again, from the start of the blob', async (t) => {
  const image = sampleImage();
  const store = await storeWith(t, image);
  const failed = new Set<string>();
  const { registry, kept } = await emptyRegistry(
    () => '',
    ({ request, response }) => {
      const key = `${request.method} ${request.url}`;
      if (request.method === 'HEAD' || failed.has(key)) return false;
      failed.add(key);
      request.resume();
      sendError(response, 503);
      return true;
    },
  );
  await using _open = registry;
  await pushImage(NAME, `${registry.host}/app:2`, { store, registry: { retry: FAST } });
  for (const [digest, bytes] of image.blobs) t.deepEqual(kept.get(digest), bytes);
});

test('the login goes to the registry, and not to the host that it has uploads sent to', async (t) => {
  const image = sampleImage();
  const store = await storeWith(t, image);
  const { registry: storage } = await emptyRegistry(() => '');
  await using _storage = storage;
  const { registry } = await emptyRegistry(
    () => storage.url,
    ({ request, response }) => {
      if (request.headers.authorization !== undefined) return false;
      request.resume();
      sendError(response, 401, { 'www-authenticate': 'Basic realm="here"' });
      return true;
    },
  );
  await using _registry = registry;
  const credentials = new Credentials({ username: 'alice', password: 's3cret' });
  await pushImage(NAME, `${registry.host}/app:2`, { store, registry: { credentials: () => credentials } });
  t.is(storage.seen.length, 2);
  t.true(storage.seen.every(({ authorization }) => authorization === undefined));
  t.is(registry.seen.at(-1)?.authorization, credentials.basic);
});

test('a blob that is damaged here leaves the tag as it was', async (t) => {
  const image = sampleImage();
  const store = await storeWith(t, image);
  truncateSync(blobPath(store, image.layerDigests[0] ?? ''), 100);
  const { registry, kept } = await emptyRegistry(() => '');
  await using _open = registry;
  const error = await t.throwsAsync(pushImage(NAME, `${registry.host}/app:2`, { store }));
  t.true(isOciError(error, 'STORE_CORRUPT'));
  t.regex(error?.message ?? '', /^Cannot push localhost\/app:1 to 127\.0\.0\.1:[0-9]+\/app:2: /);
  t.false(kept.has('/v2/app/manifests/2'));
});
