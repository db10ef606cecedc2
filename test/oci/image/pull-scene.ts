// The stage of the tests of pulls: what is served, where it goes, and what must hold afterwards.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import { isOciError, type OciErrorCode } from '../../../src/oci/error.ts';
import { blobPath, hasBlob, openContentStore, type ContentStore } from '../../../src/oci/image/content-store.ts';
import { readIndex } from '../../../src/oci/image/image-index.ts';
import { pullImage } from '../../../src/oci/image/pull.ts';

import { contentOf, startRegistry, type Exchange, type FaultRegistry, type SeenRequest } from './fault-registry.ts';
import { MemoryLayers } from './memory-layers.ts';
import { sampleImage, type SampleImage } from './sample-image.ts';

export const retry = { attempts: 4, baseMs: 1, maxMs: 4, maxRetryAfterMs: 2000 };

export type Scene = {
  readonly image: SampleImage;
  readonly layer: Buffer;
  readonly layerDigest: string;
  readonly store: ContentStore;
  readonly layers: MemoryLayers;
};

/** An empty store, and a registry's image of one layer. */
export function scene(t: ExecutionContext, layerBytes = 200_000): Scene {
  const root = mkdtempSync(join(tmpdir(), 'berth-pull-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const image = sampleImage({ layerBytes: [layerBytes] });
  const layerDigest = image.layerDigests[0] ?? '';
  const layer = image.blobs.get(layerDigest) ?? Buffer.alloc(0);
  return { image, layer, layerDigest, store: openContentStore(root), layers: new MemoryLayers() };
}

/** A registry that treats requests for the layer by `fault` and all others well. */
export function faulty({ image, layerDigest }: Scene, fault: (exchange: Exchange) => void): Promise<FaultRegistry> {
  return startRegistry(contentOf(image), (exchange) =>
    exchange.path.endsWith(layerDigest) ? fault(exchange) : exchange.serve(),
  );
}

/** The pull succeeds, and everything is as if nothing had happened. */
export async function pulls(
  t: ExecutionContext,
  { image, layer, layerDigest, store, layers }: Scene,
  host: string,
): Promise<void> {
  await pullImage(`${host}/app:1`, { store, layers, registry: { retry, idleTimeoutMs: 300 } });
  t.true(readFileSync(blobPath(store, layerDigest)).equals(layer));
  t.deepEqual(layers.list(), [...image.diffIDs]);
  t.deepEqual(readdirSync(store.ingestDirectory), []);
}

/** The pull fails as it should, and nothing of it can be seen in either store. */
export async function refuses(
  t: ExecutionContext,
  { store, layers, layerDigest }: Scene,
  { host, code, message }: { host: string; code: OciErrorCode; message: RegExp },
): Promise<void> {
  const registry = { retry, idleTimeoutMs: 300 };
  const error = await t.throwsAsync(pullImage(`${host}/app:1`, { store, layers, registry }));
  t.true(isOciError(error, code), `${String(error)} is not ${code}`);
  t.regex(error?.message ?? '', message);
  t.true(error?.message.startsWith(`Cannot pull ${host}/app:1: `));
  t.false(hasBlob(store, { digest: layerDigest, size: 1 }));
  t.throws(() => statSync(blobPath(store, layerDigest)), { code: 'ENOENT' });
  t.deepEqual(layers.list(), []);
  t.deepEqual(readIndex(store), []);
  t.deepEqual(
    readdirSync(store.ingestDirectory).filter((name) => name.endsWith('.lock')),
    [],
  );
}

/** The requests for the layer, in order. */
export function layerRequests({ layerDigest }: Scene, registry: FaultRegistry): readonly SeenRequest[] {
  return registry.seen.filter(({ path }) => path.endsWith(layerDigest));
}
