// Export an image as an oci-archive: a tar of an OCI image layout. Deterministic: the same image gives the same bytes.
import { randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import { OciError } from '../error.ts';

import { layoutBlobPath } from './archive-source.ts';
import { freeBlock } from './blocks.ts';
import { blobPath, hasBlob, type ContentStore } from './content-store.ts';
import { hashFor, parseDigest } from './digest.ts';
import { syncDirectory } from './durable-file.ts';
import { inContext } from './error-context.ts';
import { fileBlocks } from './file-blocks.ts';
import { REF_NAME } from './image-index.ts';
import type { Image } from './image.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import { OCI_INDEX } from './media-type.ts';
import { parseReference } from './reference.ts';
import { findReference, loadManifest } from './resolve.ts';
import { takeStoreLease } from './store-lease.ts';
import { tarEnd, tarFileHeader, tarPadding } from './tar-write.ts';

export type ExportOptions = { readonly store: ContentStore; readonly signal?: AbortSignal };

/**
 * Write `image` to a new oci-archive at `path`, replacing what is there only when all is written. Every blob is verified on
 * the way out. Throws OciError, whose message begins with `Cannot export <reference>: `.
 */
export async function exportImage(image: Image, path: string, { store, signal }: ExportOptions): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    using _lease = await takeStoreLease(store, signal);
    await using file = await open(temporary, 'wx', 0o644);
    await writeArchive(file, image, store, signal);
    await file.sync();
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    signal?.throwIfAborted();
    throw inContext(error, `Cannot export ${image.reference} to ${path}`);
  }
}

async function writeArchive(
  file: FileHandle,
  image: Image,
  store: ContentStore,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { descriptor, manifest } = storedImage(image, store);
  const { mediaType, digest, size, platform } = descriptor;
  const named = { annotations: { [REF_NAME]: image.reference } };
  const entry = { mediaType, digest, size, ...(platform === undefined ? {} : { platform }), ...named };
  await writeDocument(file, 'oci-layout', { imageLayoutVersion: '1.0.0' });
  await writeDocument(file, 'index.json', { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] });
  const blobs = new Map([descriptor, manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob]));
  for (const blob of [...blobs.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1))) {
    signal?.throwIfAborted();
    await writeBlob(file, blob, store);
  }
  await file.appendFile(tarEnd());
}

function storedImage(image: Image, store: ContentStore): { descriptor: Descriptor; manifest: Manifest } {
  const entry = findReference(store, parseReference(image.reference));
  const found = entry === undefined ? undefined : loadManifest(store, entry, image.config);
  if (found?.descriptor.digest === image.digest) return found;
  throw new OciError('IMAGE_MISSING', 'it is not (or no longer) what the content store has under this name');
}

async function writeDocument(file: FileHandle, name: string, document: object): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(document));
  await file.appendFile(Buffer.concat([tarFileHeader(name, bytes.length), bytes, tarPadding(bytes.length)]));
}

async function writeBlob(file: FileHandle, { digest, size }: Descriptor, store: ContentStore): Promise<void> {
  await file.appendFile(tarFileHeader(layoutBlobPath(digest), size));
  const hash = hashFor(digest);
  if (!hasBlob(store, { digest, size }))
    throw new OciError('STORE_CORRUPT', `blob ${digest} is missing: pull the image again`);
  await using blob = await open(blobPath(store, digest), 'r');
  for await (const block of fileBlocks(blob, 0, size)) {
    hash.update(block);
    await file.appendFile(block);
    freeBlock(block);
  }
  if (`${parseDigest(digest).algorithm}:${hash.digest('hex')}` !== digest) {
    throw new OciError('STORE_CORRUPT', `blob ${digest} is damaged on the disk: pull the image again`);
  }
  await file.appendFile(tarPadding(size));
}
