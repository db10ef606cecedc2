// From a reference to the image in the content store. Local only: a node without network starts what it has.
import { isOciError, OciError } from '../error.ts';

import { hasBlob, readBlob, type ContentStore } from './content-store.ts';
import type { Image } from './image.ts';
import { parseImageConfig } from './image-config.ts';
import { readIndex, REF_NAME, SOURCE_DIGEST } from './image-index.ts';
import type { LayerStore } from './layer-sink.ts';
import { parseManifest, type Descriptor, type Manifest, type Platform } from './manifest.ts';
import { choosePlatform, hostPlatform } from './platform.ts';
import { formatReference, parseReference, type Reference } from './reference.ts';

/** An index may contain an index, but not without end. */
export const MAX_INDEX_DEPTH = 4;

/**
 * The image that a reference means here, or `undefined` when it is not (or no longer wholly) in the store and has to be
 * pulled. Its layers may still be missing: see `isComplete`. Throws OciError REFERENCE_INVALID.
 */
export function resolveImage(
  store: ContentStore,
  reference: string,
  platform: Platform = hostPlatform(),
): Image | undefined {
  const parsed = parseReference(reference);
  try {
    const entry = findReference(store, parsed);
    return entry === undefined ? undefined : loadImage(store, entry, { reference: formatReference(parsed), platform });
  } catch (error) {
    // Damage heals by pulling again, which is what a missing image leads to.
    if (isOciError(error, 'STORE_CORRUPT', 'MANIFEST_INVALID', 'MANIFEST_UNSUPPORTED', 'PLATFORM_UNAVAILABLE'))
      return undefined;
    throw error;
  }
}

/** Whether every layer of an image can be used, and every blob is there to be exported or read by other tools. */
export function isComplete(image: Image, store: ContentStore, layers: LayerStore): boolean {
  return image.layers.every(({ descriptor, diffID }) => hasBlob(store, descriptor) && layers.has(diffID));
}

/** The entry of index.json for a reference: by its name, or by a digest under any tag of the same repository. */
export function findReference(store: ContentStore, reference: Reference): Descriptor | undefined {
  const entries = readIndex(store);
  const name = formatReference(reference);
  const named = entries.findLast(({ annotations }) => annotations?.[REF_NAME] === name);
  const { digest } = reference;
  if (named !== undefined || digest === undefined) return named;
  const repository = `${reference.registry}/${reference.repository}`;
  return entries.findLast((entry) => {
    const known = entry.annotations?.[REF_NAME] ?? '';
    const same = known.startsWith(`${repository}:`) || known.startsWith(`${repository}@`);
    return same && (entry.digest === digest || entry.annotations?.[SOURCE_DIGEST] === digest);
  });
}

/** Read the image that an entry of index.json describes. Throws OciError. */
export function loadImage(
  store: ContentStore,
  entry: Descriptor,
  { reference, platform }: { readonly reference: string; readonly platform: Platform },
): Image {
  const { descriptor, manifest } = loadManifest(store, entry, platform);
  const config = parseImageConfig(readBlob(store, manifest.config));
  return { reference, digest: descriptor.digest, config, ...describeLayers(manifest, config.rootfs.diff_ids) };
}

/** Pair the layers of a manifest with the config's diffIDs. Throws OciError MANIFEST_INVALID when they do not pair. */
export function describeLayers(
  { config, layers }: Manifest,
  diffIDs: readonly string[],
): Pick<Image, 'configDigest' | 'layers' | 'sizeBytes'> {
  const paired = layers.flatMap((descriptor, at) => {
    const diffID = diffIDs[at];
    return diffID === undefined ? [] : [{ descriptor, diffID }];
  });
  if (paired.length !== layers.length || paired.length !== diffIDs.length) {
    throw new OciError(
      'MANIFEST_INVALID',
      `the manifest has ${layers.length} layers but its config ${diffIDs.length} diff_ids`,
    );
  }
  const sizeBytes = layers.reduce((sum, { size }) => sum + size, config.size);
  return { configDigest: config.digest, layers: paired, sizeBytes };
}

/** Follow an entry of index.json, through indexes if need be, to the manifest for a platform. Throws OciError. */
export function loadManifest(
  store: ContentStore,
  entry: Descriptor,
  platform: Platform,
): { descriptor: Descriptor; manifest: Manifest } {
  let descriptor = entry;
  for (let depth = 0; depth < MAX_INDEX_DEPTH; depth += 1) {
    const document = parseManifest(readBlob(store, descriptor), descriptor.mediaType);
    if (document.kind === 'manifest') return { descriptor, manifest: document.manifest };
    const chosen = choosePlatform(document.index.manifests, platform);
    if (chosen === undefined)
      throw new OciError('PLATFORM_UNAVAILABLE', `index ${descriptor.digest} has nothing for this machine`);
    descriptor = chosen;
  }
  throw new OciError('MANIFEST_INVALID', `index ${entry.digest} nests more than ${MAX_INDEX_DEPTH} deep`);
}
