import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { isOciError } from '../../../src/oci/error.ts';
import { openContentStore } from '../../../src/oci/image/content-store.ts';
import { digestOf } from '../../../src/oci/image/digest.ts';
import { readIndex } from '../../../src/oci/image/image-index.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/image/media-type.ts';
import { hostPlatform } from '../../../src/oci/image/platform.ts';
import { pullImage, resolveAtRegistry } from '../../../src/oci/image/pull.ts';
import { resolveImage } from '../../../src/oci/image/resolve.ts';

import { contentOf, startRegistry } from './fault-registry.ts';
import { MemoryLayers } from './memory-layers.ts';
import { sampleImage } from './sample-image.ts';

function stores(t: ExecutionContext) {
  const root = mkdtempSync(join(tmpdir(), 'berth-resolve-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const retry = { attempts: 1, baseMs: 1, maxMs: 1, maxRetryAfterMs: 1 };
  return { store: openContentStore(root), layers: new MemoryLayers(), registry: { retry } };
}

test('of an index the manifest for this machine is named, no layer is asked for, and nothing is stored', async (t) => {
  const options = stores(t);
  const image = sampleImage();
  const manifests = [
    { mediaType: OCI_MANIFEST, digest: image.digest, size: image.manifest.length, platform: hostPlatform() },
  ];
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  await using registry = await startRegistry({
    manifests: new Map([
      ['1', { bytes: index, contentType: OCI_INDEX }],
      [image.digest, { bytes: image.manifest, contentType: OCI_MANIFEST }],
    ]),
    blobs: image.blobs,
  });
  t.is(await resolveAtRegistry(`${registry.host}/app:1`, options), image.digest);
  t.is(await resolveAtRegistry(`${registry.host}/app@${digestOf(index)}`, options), image.digest);
  t.false(registry.seen.some(({ path }) => image.layerDigests.some((digest) => path.endsWith(digest))));
  t.deepEqual(readIndex(options.store), []);
  t.deepEqual(readdirSync(options.store.ingestDirectory), []);
});

test('a tag that still means what is here costs one HEAD', async (t) => {
  const options = stores(t);
  const image = sampleImage();
  await using registry = await startRegistry(contentOf(image));
  await pullImage(`${registry.host}/app:1`, options);
  const before = registry.seen.length;
  t.is(await resolveAtRegistry(`${registry.host}/app:1`, options), image.digest);
  t.deepEqual(
    registry.seen.slice(before).map(({ method }) => method),
    ['HEAD'],
  );
});

test('what was resolved is pulled and named by its tag, though the tag has moved since', async (t) => {
  const options = stores(t);
  const [resolved, newer] = [sampleImage(), sampleImage()];
  const manifests = new Map([['1', { bytes: resolved.manifest, contentType: OCI_MANIFEST }]]);
  await using registry = await startRegistry({ manifests, blobs: new Map([...resolved.blobs, ...newer.blobs]) });
  const reference = `${registry.host}/app:1`;
  const digest = await resolveAtRegistry(reference, options);
  manifests.set('1', { bytes: newer.manifest, contentType: OCI_MANIFEST });
  manifests.set('old', { bytes: resolved.manifest, contentType: OCI_MANIFEST });
  t.is((await pullImage(reference, { ...options, digest })).digest, resolved.digest);
  t.is(resolveImage(options.store, reference)?.digest, resolved.digest);
  t.is(
    await resolveAtRegistry(reference, options),
    newer.digest,
    'and the registry is believed when it is asked again',
  );
});

test('what the registry does not have cannot be resolved, and the message says what was tried', async (t) => {
  const options = stores(t);
  await using registry = await startRegistry(contentOf(sampleImage()));
  const error = await t.throwsAsync(resolveAtRegistry(`${registry.host}/app:2`, options));
  t.true(isOciError(error, 'REGISTRY_NOT_FOUND'));
  t.true(error?.message.startsWith(`Cannot resolve ${registry.host}/app:2: `));
});
