// Images for the reconciler: what a reference stands for, and bringing it here.
import type { Host } from '../../oci/host.ts';
import { OciError } from '../../oci/error.ts';
import { blobPath } from '../../oci/image/content-store.ts';
import type { Image } from '../../oci/image/image.ts';
import { readIndex, REF_NAME } from '../../oci/image/image-index.ts';
import type * as registryModule from '../../oci/image/pull.ts';
import type { PullProgress } from '../../oci/image/bring-image.ts';
import type { PullOptions } from '../../oci/image/pull.ts';
import { isComplete, resolveImage } from '../../oci/image/resolve.ts';
import { measurePhase, type PhaseListener } from '../../oci/start-phase.ts';
import type { Images } from '../../reconcile/effects.ts';

export type PullSettings = Pick<PullOptions, 'registry' | 'concurrency' | 'reserveBytes' | 'onProgress'>;

/** Resolution and import for the reconciler. */
export function openImages(host: Host, { registry }: PullSettings): Images {
  const { content: store, layers } = host;
  return {
    resolve: async ({ reference, policy }, signal) => {
      using _phase = measurePhase('resolve', host.runtime.onPhase);
      const local = policy === 'Always' ? undefined : resolveImage(store, reference);
      if (local !== undefined) return local.digest;
      if (policy === 'Never')
        throw new OciError('IMAGE_MISSING', `Image ${reference} is not on this machine, and imagePullPolicy is Never`);
      const { resolveAtRegistry } = await registryPart();
      return resolveAtRegistry(reference, { store, signal, ...(registry === undefined ? {} : { registry }) });
    },
    importFile: async (path, signal) => {
      const { importImages } = await import('../../oci/image/import.ts');
      await importImages(path, { store, layers, signal });
    },
  };
}

/** HTTP, TLS and what speaks to registries: a node that has its images never loads it. */
function registryPart(): Promise<typeof registryModule> {
  return import('../../oci/image/pull.ts');
}

/** Make an image usable that a digest names: unpack its blobs, or fetch it as what its reference means from then on. */
export async function ensureImage(
  host: Host,
  { reference, digest }: { readonly reference: string; readonly digest: string },
  { settings, signal }: { readonly settings: PullSettings; readonly signal: AbortSignal },
): Promise<void> {
  const { content: store, layers } = host;
  const image = imageByDigest(host, digest);
  if (image !== undefined && (await unpackFromBlobs(host, image, signal))) return;
  const { pullImage } = await registryPart();
  const onProgress = pullPhases(host.runtime.onPhase, settings.onProgress);
  await pullImage(reference, { ...settings, store, layers, digest, signal, onProgress });
}

/** Layers are unpacked while others come: what counts as unpacking is what is left when the last byte is here. */
function pullPhases(onPhase: PhaseListener, onProgress: PullOptions['onProgress']): (progress: PullProgress) => void {
  const begin = performance.now();
  let arrived = begin;
  return (progress) => {
    onProgress?.(progress);
    if (progress.phase === 'download') arrived = performance.now();
    if (progress.phase !== 'done') return;
    onPhase('pull', arrived - begin);
    onPhase('unpack', performance.now() - arrived);
  };
}

async function unpackFromBlobs(host: Host, image: Image, signal: AbortSignal): Promise<boolean> {
  using _phase = measurePhase('unpack', host.runtime.onPhase);
  for (const { descriptor, diffID } of image.layers) {
    if (host.layers.has(diffID)) continue;
    const layer = { diffID, mediaType: descriptor.mediaType, sizeBytes: descriptor.size };
    try {
      await host.layers.unpackBlob(layer, blobPath(host.content, descriptor.digest), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    }
  }
  return isComplete(image, host.content, host.layers);
}

/** The image whose platform manifest has this digest, under whatever name it is in the store. */
export function imageByDigest(host: Host, digest: string): Image | undefined {
  const names = readIndex(host.content).flatMap(({ annotations }) => annotations?.[REF_NAME] ?? []);
  for (const name of names) {
    const image = resolveImage(host.content, name);
    if (image?.digest === digest) return image;
  }
  return undefined;
}
