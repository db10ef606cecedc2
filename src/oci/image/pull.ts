// Pull an image: resolve → manifest → config → all layers at once → tag. What is there already is not fetched again, and
// the reference changes its meaning only when everything is on the disk.
import { join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import { lock } from '../../linux/flock.ts';
import { isOciError, OciError } from '../error.ts';

import { forEachConcurrent } from './concurrent.ts';
import { hasBlob, putBlob, type ContentStore } from './content-store.ts';
import { requireSpace } from './disk-space.ts';
import { fetchLayer } from './fetch-layer.ts';
import { fetchImage, type FetchedImage } from './fetch-manifest.ts';
import type { Image } from './image.ts';
import { findEntry, SOURCE_DIGEST, tagImage } from './image-index.ts';
import type { LayerStore } from './layer-sink.ts';
import type { Platform } from './manifest.ts';
import { layerCompression } from './media-type.ts';
import { hostPlatform, platformDistance } from './platform.ts';
import { formatReference, parseReference, type Reference } from './reference.ts';
import { RegistryClient, type RegistryOptions } from './registry/client.ts';
import { describeLayers, findReference, isComplete, resolveImage } from './resolve.ts';

const DEFAULT_CONCURRENCY = 6;
// What a compressed layer usually grows to: an estimate, for refusing a pull early rather than half-way.
const EXPECTED_GROWTH = 3;

export type PullProgress = {
  readonly reference: string;
  /** Of a layer; of the manifest for `resolve` and at the end of the whole image. */
  readonly digest: string;
  readonly phase: 'resolve' | 'download' | 'unpack' | 'done';
  /** Bytes of the compressed layer. */
  readonly done: number;
  readonly total: number;
};

export type PullOptions = {
  readonly store: ContentStore;
  readonly layers: LayerStore;
  readonly registry?: RegistryOptions;
  /** This machine's by default. */
  readonly platform?: Platform;
  /** Layers fetched at a time. */
  readonly concurrency?: number;
  /** Bytes of the file system to leave free; by default 5 %, at most 1 GiB. */
  readonly reserveBytes?: number;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly signal?: AbortSignal;
};

/**
 * Make the image of `reference` available: afterwards `resolveImage` finds it and all its layers are unpacked. A tag is
 * compared with the registry; a digest that is here already needs no network. Throws OciError, whose message begins with
 * `Cannot pull <reference>: `, or the signal's reason.
 */
export async function pullImage(reference: string, options: PullOptions): Promise<Image> {
  const parsed = parseReference(reference);
  const { store, signal } = options;
  try {
    // prune.ts takes it exclusively: what is being pulled is not referenced yet.
    using _lease = await lock(join(store.directory, '.gc.lock'), 'shared', signal);
    using client = new RegistryClient(parsed, options.registry);
    return (await present(parsed, client, options)) ?? (await fetchAll(parsed, client, options));
  } catch (error) {
    signal?.throwIfAborted();
    throw explain(error, formatReference(parsed));
  }
}

/** The image when it is here, complete, and still what the reference means. */
async function present(reference: Reference, client: RegistryClient, options: PullOptions): Promise<Image | undefined> {
  const { store, layers, platform = hostPlatform(), signal } = options;
  const name = formatReference(reference);
  const image = resolveImage(store, name, platform);
  if (image === undefined || !isComplete(image, store, layers)) return undefined;
  if (platformDistance(image.config, platform) === undefined) return undefined;
  const entry = findReference(store, reference);
  if (reference.digest === undefined && reference.tag !== undefined) {
    const current = await currentDigest(client, reference.tag, signal);
    if (current === undefined || entry?.annotations?.[SOURCE_DIGEST] !== current) return undefined;
  }
  if (entry !== undefined && findEntry(store, name) === undefined) await tagImage(store, name, entry, signal);
  return image;
}

async function currentDigest(
  client: RegistryClient,
  tag: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    return await client.manifestDigest(tag, signal);
  } catch (error) {
    // Some registries have no HEAD; the GET that follows tells the truth.
    if (isOciError(error, 'REGISTRY_PROTOCOL', 'REGISTRY_NOT_FOUND')) return undefined;
    throw error;
  }
}

async function fetchAll(reference: Reference, client: RegistryClient, options: PullOptions): Promise<Image> {
  const { platform = hostPlatform(), signal, onProgress } = options;
  const name = formatReference(reference);
  const fetched = await fetchImage(client, reference, { platform, signal });
  const described = describeLayers(fetched.manifest, fetched.config.rootfs.diff_ids);
  const { digest } = fetched.descriptor;
  const image: Image = { reference: name, digest, config: fetched.config, ...described };
  const report = (phase: 'resolve' | 'done', done: number): void =>
    onProgress?.({ reference: name, digest, phase, done, total: image.sizeBytes });
  report('resolve', 0);
  await fetchLayers(image, client, options);
  await commit(image, fetched, options);
  report('done', image.sizeBytes);
  return image;
}

async function fetchLayers(image: Image, client: RegistryClient, options: PullOptions): Promise<void> {
  const { store, layers, concurrency = DEFAULT_CONCURRENCY, reserveBytes, onProgress } = options;
  // An image may have the same (often empty) layer twice.
  const distinct = [
    ...new Map(image.layers.map((layer) => [`${layer.descriptor.digest} ${layer.diffID}`, layer])).values(),
  ];
  const missingBytes = neededBytes(distinct, options);
  if (missingBytes > 0) await requireSpace({ path: store.directory, neededBytes: missingBytes, reserveBytes });
  // The largest first: it decides when all are done.
  const ordered = distinct.sort((a, b) => b.descriptor.size - a.descriptor.size);
  await forEachConcurrent(ordered, { limit: concurrency, signal: options.signal }, ({ descriptor, diffID }, signal) => {
    const { digest, size: total } = descriptor;
    const report = (phase: PullProgress['phase'], done: number): void =>
      onProgress?.({ reference: image.reference, digest, phase, done, total });
    return fetchLayer({ store, layers, client, descriptor, diffID, reserveBytes, onProgress: report, signal });
  });
}

async function commit(image: Image, fetched: FetchedImage, { store, signal }: PullOptions): Promise<void> {
  const { descriptor, manifest, sourceDigest, config } = fetched;
  await Promise.all([
    putBlob(store, fetched.configBytes, manifest.config.digest),
    putBlob(store, fetched.manifestBytes, descriptor.digest),
  ]);
  const { os, architecture, variant } = config;
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const annotations = { [SOURCE_DIGEST]: sourceDigest };
  await tagImage(store, image.reference, { ...descriptor, platform, annotations }, signal);
}

function neededBytes(wanted: Image['layers'], { store, layers }: PullOptions): number {
  return wanted.reduce((sum, { descriptor, diffID }) => {
    const blobBytes = hasBlob(store, descriptor) ? 0 : descriptor.size;
    const growth = layerCompression(descriptor.mediaType) === 'none' ? 1 : EXPECTED_GROWTH;
    return sum + blobBytes + (layers.has(diffID) ? 0 : descriptor.size * growth);
  }, 0);
}

function explain(error: unknown, name: string): unknown {
  const context = `Cannot pull ${name}`;
  if (error instanceof OciError) return new OciError(error.code, `${context}: ${error.message}`, { cause: error });
  if (isErrno(error, 'ENOSPC', 'EDQUOT'))
    return new OciError('DISK_FULL', `${context}: ${error.message}`, { cause: error });
  return error;
}
