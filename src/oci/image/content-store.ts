// The content store: an OCI image layout (image-layout.md), so that skopeo, umoci and people can read it.
//   image/oci-layout  image/index.json  image/blobs/<algorithm>/<hex>   as the specification has them
//   image/ingest/                                                       partial downloads and temporary files
//   image/.index.lock image/.gc.lock                                    flock(2)ed: see image-index.ts and prune.ts
import { randomUUID } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { isErrno } from '../../linux/errno.ts';
import { OciError } from '../error.ts';

import { digestOf, hashFor, parseDigest, verifyDigest } from './digest.ts';
import { writeDurably } from './durable-file.ts';
import type { Descriptor } from './manifest.ts';
import { OCI_INDEX } from './media-type.ts';

const LAYOUT = JSON.stringify({ imageLayoutVersion: '1.0.0' });
const EMPTY_INDEX = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] });

const READ_BYTES = 512 * 1024;

export type ContentStore = {
  /** The OCI image layout: `<root>/image`. */
  readonly directory: string;
  /** Same file system as the blobs. */
  readonly ingestDirectory: string;
};

/** Open the content store under berth's `root`, creating what is missing. Several processes may have it open. */
export function openContentStore(root: string): ContentStore {
  const directory = join(root, 'image');
  const ingestDirectory = join(directory, 'ingest');
  for (const path of [ingestDirectory, join(directory, 'blobs', 'sha256')])
    mkdirSync(path, { recursive: true, mode: 0o700 });
  const store = { directory, ingestDirectory };
  createOnce(store, 'oci-layout', LAYOUT);
  createOnce(store, 'index.json', EMPTY_INDEX);
  return store;
}

/** Where the blob of a digest is, or will be. Throws OciError DIGEST_INVALID. */
export function blobPath(store: ContentStore, digest: string): string {
  const { algorithm, hex } = parseDigest(digest);
  return join(store.directory, 'blobs', algorithm, hex);
}

/** Whether the blob is there with the right size. Its digest was checked when it came in. */
export function hasBlob(store: ContentStore, { digest, size }: Pick<Descriptor, 'digest' | 'size'>): boolean {
  const status = statSync(blobPath(store, digest), { throwIfNoEntry: false });
  return status !== undefined && status.isFile() && status.size === size;
}

/**
 * Read a small blob (a manifest or config) whole, and verify size and digest again: a disk may forget. Throws OciError
 * STORE_CORRUPT when it is missing or wrong.
 */
export function readBlob(store: ContentStore, { digest, size }: Pick<Descriptor, 'digest' | 'size'>): Buffer {
  try {
    if (!hasBlob(store, { digest, size }))
      throw new OciError('STORE_CORRUPT', `blob ${digest} is missing or not ${size} bytes`);
    const bytes = readFileSync(blobPath(store, digest));
    verifyDigest(bytes, digest, 'the blob on disk');
    return bytes;
  } catch (error) {
    throw new OciError('STORE_CORRUPT', `Cannot read blob ${digest} from ${store.directory}: pull the image again`, {
      cause: error,
    });
  }
}

/** Store bytes durably under their sha256 digest, which is returned: "they are stored", not "this call stored them". */
export async function putBlob(
  store: ContentStore,
  bytes: Uint8Array,
  digest: string = digestOf(bytes),
): Promise<string> {
  verifyDigest(bytes, digest, 'the blob to store');
  const path = blobPath(store, digest);
  if (hasBlob(store, { digest, size: bytes.length })) return digest;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeDurably(path, bytes, store.ingestDirectory);
  return digest;
}

/** Read a stored blob through and say whether it still has its digest. Throws node:fs errors. */
export async function isIntact(store: ContentStore, digest: string): Promise<boolean> {
  const hash = hashFor(digest);
  await pipeline(createReadStream(blobPath(store, digest), { highWaterMark: READ_BYTES }), hash);
  return `${parseDigest(digest).algorithm}:${hash.digest('hex')}` === digest;
}

/** Take a blob away, for one that is damaged or that nothing refers to. */
export async function removeBlob(store: ContentStore, digest: string): Promise<void> {
  await rm(blobPath(store, digest), { force: true });
}

// link(2) never replaces: a process that opens the store at the same time keeps what another one wrote.
function createOnce(store: ContentStore, name: string, text: string): void {
  const path = join(store.directory, name);
  if (existsSync(path)) return;
  const temporary = join(store.ingestDirectory, `write-${randomUUID()}`);
  writeFileSync(temporary, text, { flag: 'wx', mode: 0o600, flush: true });
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    rmSync(temporary);
  }
}
