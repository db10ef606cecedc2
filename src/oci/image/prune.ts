// Delete what nothing refers to: blobs, unpacked layers, abandoned downloads. Mark and sweep, from roots that callers know.
import { readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { tryLock } from '../../linux/flock.ts';
import { OciError } from '../error.ts';

import { blobPath, hasBlob, readBlob, removeBlob, type ContentStore } from './content-store.ts';
import { isDigest } from './digest.ts';
import { parseImageConfig } from './image-config.ts';
import { readIndex } from './image-index.ts';
import { DecodeError, fields, list, optional, parseJson } from './json-decode.ts';
import type { LayerStore } from './layer-sink.ts';
import { decodeDescriptor, type Descriptor } from './manifest.ts';
import { isConfigType } from './media-type.ts';
import { excludeStoreLeases } from './store-lease.ts';

const MAX_REFERENCES = 10_000;

const descriptors = optional(list(decodeDescriptor, MAX_REFERENCES));
const decodeReferences = fields({ config: optional(decodeDescriptor), layers: descriptors, manifests: descriptors });

export type PruneOptions = {
  readonly layers: LayerStore;
  /** Digests of manifests to keep beside those of index.json: of running containers and of the desired state. */
  readonly roots: readonly string[];
  /** DiffIDs to keep whatever refers to them, such as those that are mounted. */
  readonly keepLayers?: readonly string[];
  /** Partial downloads that were not written to for so long are abandoned. A day by default. */
  readonly partialAgeMs?: number;
  readonly signal?: AbortSignal;
};

export type Pruned = {
  readonly blobs: readonly string[];
  readonly layers: readonly string[];
  /** Bytes of the blobs and partial downloads. */
  readonly freedBytes: number;
};

/**
 * Delete every blob and layer that neither index.json nor `roots` refer to. Waits for pulls and imports to end, and keeps
 * new ones waiting meanwhile. Throws OciError STORE_CORRUPT, having deleted nothing, when what is referred to cannot be
 * followed: it could be what somebody runs.
 */
export async function prune(store: ContentStore, options: PruneOptions): Promise<Pruned> {
  const { layers, roots, keepLayers = [], partialAgeMs = 86_400_000, signal } = options;
  using _alone = await excludeStoreLeases(store, signal);
  const marked = mark(store, [...readIndex(store), ...roots.map((digest) => storedRoot(store, digest))]);
  const kept = new Set([...marked.diffIDs, ...keepLayers]);
  const blobs = listBlobs(store).filter((digest) => !marked.blobs.has(digest));
  const freedBlobs = blobs.reduce((sum, digest) => sum + statSync(blobPath(store, digest)).size, 0);
  for (const digest of blobs) await removeBlob(store, digest);
  const unused = layers.list().filter((diffID) => !kept.has(diffID));
  for (const diffID of unused) await layers.remove(diffID);
  return { blobs, layers: unused, freedBytes: freedBlobs + (await removeAbandoned(store, Date.now() - partialAgeMs)) };
}

type Marked = { readonly blobs: ReadonlySet<string>; readonly diffIDs: ReadonlySet<string> };
type Root = Pick<Descriptor, 'digest' | 'size'>;

function mark(store: ContentStore, roots: readonly Root[]): Marked {
  const [blobs, diffIDs] = [new Set<string>(), new Set<string>()];
  const pending: Root[] = [...roots];
  for (let root = pending.pop(); root !== undefined; root = pending.pop()) {
    if (blobs.has(root.digest)) continue;
    blobs.add(root.digest);
    const { config, layers, manifests } = readReferences(store, root);
    for (const { digest } of layers ?? []) blobs.add(digest);
    // Of an index, usually one platform is here.
    pending.push(...(manifests ?? []).filter((child) => hasBlob(store, child)));
    if (config === undefined) continue;
    blobs.add(config.digest);
    if (!isConfigType(config.mediaType)) continue;
    for (const diffID of parseImageConfig(readBlob(store, config)).rootfs.diff_ids) diffIDs.add(diffID);
  }
  return { blobs, diffIDs };
}

// More lenient than manifest.ts: what another tool put here (a signature, an artifact) is kept, not judged.
function readReferences(store: ContentStore, root: Root): ReturnType<typeof decodeReferences> {
  try {
    return decodeReferences(parseJson(readBlob(store, root)), '');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new OciError(
      'STORE_CORRUPT',
      `Cannot prune: blob ${root.digest} is referred to as a manifest: ${error.message}`,
      { cause: error },
    );
  }
}

function storedRoot(store: ContentStore, digest: string): Root {
  const status = statSync(blobPath(store, digest), { throwIfNoEntry: false });
  if (status !== undefined) return { digest, size: status.size };
  throw new OciError('STORE_CORRUPT', `Cannot prune: manifest ${digest} is in use, and is missing`);
}

function listBlobs(store: ContentStore): readonly string[] {
  const directory = join(store.directory, 'blobs');
  return readdirSync(directory)
    .flatMap((algorithm) => readdirSync(join(directory, algorithm)).map((hex) => `${algorithm}:${hex}`))
    .filter(isDigest);
}

// Partial downloads that nobody resumes, temporary files of processes that died, and their locks. Nobody who brings images
// in is alive now, but trying a lock costs nothing and outlives that reasoning.
async function removeAbandoned(store: ContentStore, before: number): Promise<number> {
  let freedBytes = 0;
  for (const name of readdirSync(store.ingestDirectory)) {
    const path = join(store.ingestDirectory, name);
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined || status.mtimeMs > before) continue;
    const lockPath = name.endsWith('.lock') ? path : `${path}.lock`;
    using held = tryLock(lockPath);
    if (held === undefined) continue;
    await rm(path, { force: true });
    await rm(lockPath, { force: true });
    freedBytes += status.size;
  }
  return freedBytes;
}
