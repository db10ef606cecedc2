import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { isOciError, type OciErrorCode } from '../../../src/oci/error.ts';
import { blobPath, openContentStore, type ContentStore } from '../../../src/oci/image/content-store.ts';
import { digestOf } from '../../../src/oci/image/digest.ts';
import { readIndex, REF_NAME } from '../../../src/oci/image/image-index.ts';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/image/media-type.ts';
import { hostPlatform } from '../../../src/oci/image/platform.ts';
import { pullImage, type PullOptions } from '../../../src/oci/image/pull.ts';
import { resolveImage } from '../../../src/oci/image/resolve.ts';

import { contentOf, sendError, startRegistry, type Content } from './fault-registry.ts';
import { MemoryLayers } from './memory-layers.ts';
import { sampleImage, type SampleImage } from './sample-image.ts';

type Stores = Pick<PullOptions, 'store' | 'registry'> & { readonly store: ContentStore; readonly layers: MemoryLayers };

function stores(t: ExecutionContext): Stores {
  const root = mkdtempSync(join(tmpdir(), 'berth-pull-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const retry = { attempts: 2, baseMs: 1, maxMs: 1, maxRetryAfterMs: 1 };
  return { store: openContentStore(root), layers: new MemoryLayers(), registry: { retry } };
}

/** An index over images: `[platform or undefined, image]`. */
function indexOf(
  entries: readonly (readonly [object | undefined, SampleImage])[],
  mediaType = OCI_INDEX,
): Content & { digest: string } {
  const manifests = entries.map(([platform, { manifest, digest }]) => ({
    mediaType: OCI_MANIFEST,
    digest,
    size: manifest.length,
    ...(platform === undefined ? {} : { platform }),
  }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  return {
    digest: digestOf(bytes),
    manifests: new Map<string, { bytes: Buffer; contentType: string }>([
      ['1', { bytes, contentType: mediaType }],
      ...entries.map(([, { manifest, digest }]) => [digest, { bytes: manifest, contentType: OCI_MANIFEST }] as const),
    ]),
    blobs: new Map<string, Buffer>(entries.flatMap(([, { blobs }]) => [...blobs])),
  };
}

function serving(manifest: object, contentType: string, image = sampleImage()): Content {
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { manifests: new Map([['1', { bytes, contentType }]]), blobs: image.blobs };
}

test('a pulled image is in the store, its layers are unpacked, and it resolves without the registry', async (t) => {
  const image = sampleImage({ layerBytes: [1_500_000, 10, 0] });
  const { store, layers } = stores(t);
  const phases: string[] = [];
  await using registry = await startRegistry(contentOf(image));
  const reference = `${registry.host}/app:1`;
  const pulled = await pullImage(reference, { store, layers, onProgress: ({ phase }) => phases.push(phase) });
  t.is(pulled.reference, reference);
  t.is(pulled.digest, image.digest);
  t.deepEqual(pulled.config.config?.Env, ['PATH=/bin']);
  t.deepEqual(
    pulled.layers.map(({ diffID }) => diffID),
    [...image.diffIDs],
  );
  t.true(image.diffIDs.every((diffID) => layers.has(diffID)));
  for (const [digest, bytes] of image.blobs) t.true(readFileSync(blobPath(store, digest)).equals(bytes));
  t.deepEqual(resolveImage(store, reference), pulled);
  t.deepEqual(readdirSync(store.ingestDirectory), []);
  t.is(phases[0], 'resolve');
  t.is(phases.at(-1), 'done');
});

test('the same tag again costs one HEAD', async (t) => {
  const options = stores(t);
  await using registry = await startRegistry(contentOf(sampleImage()));
  const first = await pullImage(`${registry.host}/app:1`, options);
  const before = registry.seen.length;
  t.deepEqual(await pullImage(`${registry.host}/app:1`, options), first);
  t.deepEqual(
    registry.seen.slice(before).map(({ method }) => method),
    ['HEAD'],
  );
});

test('a tag that moved brings the new image, and layers that both have stay', async (t) => {
  const options = stores(t);
  const [old, fresh] = [sampleImage(), sampleImage({ layerBytes: [100, 200] })];
  const manifests = new Map([['1', { bytes: old.manifest, contentType: OCI_MANIFEST }]]);
  await using registry = await startRegistry({ manifests, blobs: new Map([...old.blobs, ...fresh.blobs]) });
  await pullImage(`${registry.host}/app:1`, options);
  manifests.set('1', { bytes: fresh.manifest, contentType: OCI_MANIFEST });
  t.is((await pullImage(`${registry.host}/app:1`, options)).digest, fresh.digest);
  t.is(resolveImage(options.store, `${registry.host}/app:1`)?.digest, fresh.digest);
  t.is(readIndex(options.store).length, 1);
});

test('a digest that is here needs no network, also under a name it was not pulled by', async (t) => {
  const options = stores(t);
  const image = sampleImage();
  await using registry = await startRegistry(contentOf(image));
  await pullImage(`${registry.host}/app:1`, options);
  const before = registry.seen.length;
  const byDigest = `${registry.host}/app@${image.digest}`;
  t.is((await pullImage(byDigest, options)).digest, image.digest);
  t.is(registry.seen.length, before);
  t.deepEqual(
    readIndex(options.store).map(({ annotations }) => annotations?.[REF_NAME]),
    [`${registry.host}/app:1`, byDigest],
  );
});

test('of an index, the manifest for this machine is pulled; attestations and others are not asked for', async (t) => {
  const options = stores(t);
  const [mine, other] = [sampleImage(), sampleImage({ architecture: 's390x' })];
  const content = indexOf([
    [{ os: 'unknown', architecture: 'unknown' }, other],
    [{ os: 'linux', architecture: 's390x' }, other],
    [hostPlatform(), mine],
  ]);
  await using registry = await startRegistry(content);
  t.is((await pullImage(`${registry.host}/app:1`, options)).digest, mine.digest);
  t.is(resolveImage(options.store, `${registry.host}/app@${content.digest}`)?.digest, mine.digest);
  t.false(registry.seen.some(({ path }) => path.includes(other.digest)));
});

const refusals: readonly { title: string; content: () => Content; code: OciErrorCode; message: RegExp }[] = [
  {
    title: 'an index without this machine is refused and says what there is',
    content: () =>
      indexOf([
        [{ os: 'linux', architecture: 's390x' }, sampleImage()],
        [{ os: 'linux', architecture: 'mips' }, sampleImage()],
      ]),
    code: 'PLATFORM_UNAVAILABLE',
    message: /the image is for linux\/s390x, linux\/mips, not for linux\//,
  },
  {
    title: "another machine's image is refused although no index says so",
    content: () => contentOf(sampleImage({ architecture: 's390x' })),
    code: 'PLATFORM_UNAVAILABLE',
    message: /the image is for linux\/s390x/,
  },
  {
    title: 'a manifest served as another kind than it says is refused',
    content: () => serving(JSON.parse(sampleImage().manifest.toString()) as object, DOCKER_MANIFEST),
    code: 'MANIFEST_INVALID',
    message: /says it is .*oci.* but was served as .*docker/,
  },
  {
    title: 'a document that is an index and a manifest at once is refused',
    content: () =>
      serving({ ...(JSON.parse(sampleImage().manifest.toString()) as object), manifests: [] }, OCI_MANIFEST),
    code: 'MANIFEST_INVALID',
    message: /could be read two ways/,
  },
  {
    title: 'Docker schema 1 is refused by name',
    content: () =>
      serving({ schemaVersion: 1, fsLayers: [] }, 'application/vnd.docker.distribution.manifest.v1+prettyjws'),
    code: 'MANIFEST_UNSUPPORTED',
    message: /schema 1/,
  },
  {
    title: 'what is not JSON is refused',
    content: () => ({
      manifests: new Map([['1', { bytes: Buffer.from('<html>'), contentType: OCI_MANIFEST }]]),
      blobs: new Map(),
    }),
    code: 'MANIFEST_INVALID',
    message: /is not JSON/,
  },
];

for (const { title, content, code, message } of refusals) {
  test(title, async (t) => {
    const options = stores(t);
    await using registry = await startRegistry(content());
    const error = await t.throwsAsync(pullImage(`${registry.host}/app:1`, options));
    t.true(isOciError(error, code), String(error));
    t.regex(error?.message ?? '', message);
    t.deepEqual(readIndex(options.store), []);
    t.deepEqual(options.layers.list(), []);
  });
}

test('a manifest that is not what its digest says is refused', async (t) => {
  const options = stores(t);
  const image = sampleImage();
  await using registry = await startRegistry(contentOf(image), ({ response, path, serve }) => {
    if (!path.includes('/manifests/')) return serve();
    response.writeHead(200, { 'content-type': OCI_MANIFEST });
    response.end(Buffer.concat([image.manifest, Buffer.from(' ')]));
  });
  const error = await t.throwsAsync(pullImage(`${registry.host}/app@${image.digest}`, options));
  t.true(isOciError(error, 'DIGEST_MISMATCH'));
});

test('a manifest larger than 4 MiB is not read to its end', async (t) => {
  const options = stores(t);
  await using registry = await startRegistry(contentOf(sampleImage()), ({ response, serve, path }) => {
    if (!path.includes('/manifests/')) return serve();
    response.writeHead(200, { 'content-type': OCI_MANIFEST });
    response.end(Buffer.alloc(5 * 1024 * 1024, 0x20));
  });
  const error = await t.throwsAsync(pullImage(`${registry.host}/app:1`, options));
  t.true(isOciError(error, 'REGISTRY_PROTOCOL'));
});

test('a layer whose content is not what the config says leaves no image behind', async (t) => {
  const options = stores(t);
  const [image, other] = [sampleImage(), sampleImage()];
  const parsed = JSON.parse(image.manifest.toString()) as { layers: unknown[] };
  const layers = (JSON.parse(other.manifest.toString()) as { layers: unknown[] }).layers;
  const content = serving({ ...parsed, layers }, OCI_MANIFEST, image);
  await using registry = await startRegistry({ ...content, blobs: new Map([...image.blobs, ...other.blobs]) });
  const error = await t.throwsAsync(pullImage(`${registry.host}/app:1`, options));
  t.true(isOciError(error, 'DIGEST_MISMATCH'));
  t.deepEqual(readIndex(options.store), []);
  t.deepEqual(options.layers.list(), []);
});

test('a registry without HEAD is asked by GET', async (t) => {
  const options = stores(t);
  await using registry = await startRegistry(contentOf(sampleImage()), ({ request, response, serve }) =>
    request.method === 'HEAD' ? sendError(response, 405) : serve(),
  );
  const first = await pullImage(`${registry.host}/app:1`, options);
  t.deepEqual(await pullImage(`${registry.host}/app:1`, options), first);
});
