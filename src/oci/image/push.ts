// Send an image of the content store to a registry: blobs, then the manifest, which makes them an image.
import { open } from 'node:fs/promises';

import { OciError } from '../error.ts';

import { forEachConcurrent } from './concurrent.ts';
import { blobPath, hasBlob, readBlob, type ContentStore } from './content-store.ts';
import { inContext } from './error-context.ts';
import { fileBlocks } from './file-blocks.ts';
import type { Descriptor } from './manifest.ts';
import { hostPlatform } from './platform.ts';
import { formatReference, parseReference, type Reference } from './reference.ts';
import type { RegistryOptions } from './registry/client.ts';
import { RegistryUpload, type UploadOutcome } from './registry/upload.ts';
import { findReference, loadManifest } from './resolve.ts';
import { takeStoreLease } from './store-lease.ts';

const CONCURRENCY = 4;

export type PushOptions = {
  readonly store: ContentStore;
  readonly registry?: RegistryOptions;
  readonly onBlob?: (blob: Descriptor, outcome: UploadOutcome) => void;
  readonly signal?: AbortSignal;
};

/**
 * Send what `source` means here to `destination` (a reference with a tag). Resolves with the manifest's digest when the
 * tag means it there. Throws OciError, whose message begins with `Cannot push <source> to <destination>: `.
 */
export async function pushImage(source: string, destination: string, options: PushOptions): Promise<string> {
  const [from, to] = [parseReference(source), parseReference(destination)];
  const { store, signal } = options;
  try {
    using _lease = await takeStoreLease(store, signal);
    const entry = findReference(store, from);
    if (entry === undefined) throw new OciError('IMAGE_MISSING', 'there is no such image on this machine');
    const { descriptor, manifest } = loadManifest(store, entry, entry.platform ?? hostPlatform());
    using upload = new RegistryUpload(to, options.registry);
    await pushBlobs([manifest.config, ...manifest.layers], { upload, mountFrom: mountable(from, to), options });
    const bytes = readBlob(store, descriptor);
    await upload.manifest(to.tag ?? descriptor.digest, { bytes, mediaType: descriptor.mediaType }, signal);
    return descriptor.digest;
  } catch (error) {
    signal?.throwIfAborted();
    throw inContext(error, `Cannot push ${formatReference(from)} to ${formatReference(to)}`);
  }
}

type Sending = {
  readonly upload: RegistryUpload;
  readonly mountFrom: string | undefined;
  readonly options: PushOptions;
};

async function pushBlobs(blobs: readonly Descriptor[], { upload, mountFrom, options }: Sending): Promise<void> {
  const distinct = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  const { store, onBlob, signal } = options;
  await forEachConcurrent(distinct, { limit: CONCURRENCY, signal }, async (blob, stop) => {
    if (!hasBlob(store, blob))
      throw new OciError('STORE_CORRUPT', `blob ${blob.digest} is missing: pull the image again`);
    const outcome = await upload.blob({ ...blob, open: () => readStored(store, blob) }, mountFrom, stop);
    onBlob?.(blob, outcome);
  });
}

async function* readStored(store: ContentStore, { digest, size }: Descriptor): AsyncGenerator<Buffer> {
  await using file = await open(blobPath(store, digest), 'r');
  // Not freed by hand: the connection may still hold a block when it asks for the next.
  yield* fileBlocks(file, 0, size);
}

// Only a registry's own repositories can be mounted from.
function mountable(from: Reference, to: Reference): string | undefined {
  return from.registry === to.registry && from.repository !== to.repository ? from.repository : undefined;
}
