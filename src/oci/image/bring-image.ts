// Bring an image from a source into the stores: manifest → config → all layers at once → tag. What is there already is not
// fetched again, and the reference changes its meaning only when everything is on the disk.
import { forEachConcurrent } from './concurrent.ts';
import { hasBlob, putBlob, type ContentStore } from './content-store.ts';
import { requireSpace } from './disk-space.ts';
import { fetchLayer } from './fetch-layer.ts';
import { fetchImage, type FetchedImage } from './fetch-manifest.ts';
import type { Image } from './image.ts';
import { SOURCE_DIGEST, tagImage } from './image-index.ts';
import type { ImageSource } from './image-source.ts';
import type { LayerStore } from './layer-sink.ts';
import type { Platform } from './manifest.ts';
import { layerCompression } from './media-type.ts';
import { hostPlatform } from './platform.ts';
import { describeLayers } from './resolve.ts';

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

export type BringOptions = {
  readonly store: ContentStore;
  readonly layers: LayerStore;
  /** This machine's by default. */
  readonly platform?: Platform;
  /** Layers fetched at a time. */
  readonly concurrency?: number;
  /** Bytes of the file system to leave free; by default 5 %, at most 1 GiB. */
  readonly reserveBytes?: number;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly signal?: AbortSignal;
};

export type Wanted = {
  /** The canonical reference that the image gets in index.json. */
  readonly name: string;
  /** The tag or digest to ask the source for. */
  readonly target: string;
};

/** Afterwards `resolveImage` finds the image under `name`, and all its layers are unpacked. Throws OciError. */
export async function bringImage(source: ImageSource, { name, target }: Wanted, options: BringOptions): Promise<Image> {
  const { platform = hostPlatform(), signal, onProgress } = options;
  options.layers.prepare?.();
  const fetched = await fetchImage(source, target, { platform, signal });
  const described = describeLayers(fetched.manifest, fetched.config.rootfs.diff_ids);
  const { digest } = fetched.descriptor;
  const image: Image = { reference: name, digest, config: fetched.config, ...described };
  const report = (phase: 'resolve' | 'done', done: number): void =>
    onProgress?.({ reference: name, digest, phase, done, total: image.sizeBytes });
  report('resolve', 0);
  // Both to their end: nothing may go on behind the caller's back.
  const outcomes = await Promise.allSettled([fetchLayers(image, source, options), putDocuments(fetched, options)]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  await tag(image, fetched, options);
  report('done', image.sizeBytes);
  return image;
}

async function fetchLayers(image: Image, source: ImageSource, options: BringOptions): Promise<void> {
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
    return fetchLayer({ store, layers, source, descriptor, diffID, reserveBytes, onProgress: report, signal });
  });
}

/** Manifest and configuration, which are nothing yet without a name: each takes the disk as long as a small layer. */
async function putDocuments(
  { configBytes, manifestBytes, manifest, descriptor }: FetchedImage,
  { store }: BringOptions,
): Promise<void> {
  await Promise.all([
    putBlob(store, configBytes, manifest.config.digest),
    putBlob(store, manifestBytes, descriptor.digest),
  ]);
}

async function tag(image: Image, fetched: FetchedImage, { store, signal }: BringOptions): Promise<void> {
  const { descriptor, sourceDigest, config } = fetched;
  const { os, architecture, variant } = config;
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const annotations = { [SOURCE_DIGEST]: sourceDigest };
  await tagImage(store, image.reference, { ...descriptor, platform, annotations }, signal);
}

function neededBytes(wanted: Image['layers'], { store, layers }: BringOptions): number {
  return wanted.reduce((sum, { descriptor, diffID }) => {
    const blobBytes = hasBlob(store, descriptor) ? 0 : descriptor.size;
    const growth = layerCompression(descriptor.mediaType) === 'none' ? 1 : EXPECTED_GROWTH;
    return sum + blobBytes + (layers.has(diffID) ? 0 : descriptor.size * growth);
  }, 0);
}
