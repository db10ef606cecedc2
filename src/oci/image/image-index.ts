// index.json of the content store: which image each reference means. Written atomically under a lock; entries and fields
// that other tools wrote are kept as they are.
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import { lock } from '../../linux/flock.ts';
import { OciError } from '../error.ts';

import type { ContentStore } from './content-store.ts';
import { writeDurably } from './durable-file.ts';
import { DecodeError, fields, list, optional, parseJson, plainObject, type Decode } from './json-decode.ts';
import { decodeDescriptor, type Descriptor } from './manifest.ts';
import { OCI_INDEX } from './media-type.ts';

/** The annotation that names an entry: OCI image specification, annotations.md. */
export const REF_NAME = 'org.opencontainers.image.ref.name';
/** Digest that the registry gave for the reference: of the index where the entry is one of its manifests. */
export const SOURCE_DIGEST = 'berth.source.digest';
const MAX_ENTRIES = 100_000;

type RawEntry = Readonly<Record<string, unknown>>;
type RawIndex = { readonly document: Readonly<Record<string, unknown>>; readonly entries: readonly RawEntry[] };

const decodeRaw: Decode<RawEntry> = plainObject;
const decodeIndex = fields({ manifests: optional(list(decodeRaw, MAX_ENTRIES)) });

/** The descriptors of index.json, in order. Throws OciError STORE_CORRUPT when it cannot be read. */
export function readIndex(store: ContentStore): readonly Descriptor[] {
  try {
    return readRaw(store).entries.flatMap(decodeEntry);
  } catch (error) {
    const path = join(store.directory, 'index.json');
    throw new OciError('STORE_CORRUPT', `Cannot read ${path}: the next pull replaces it`, { cause: error });
  }
}

/** The entry with exactly this name, the last when another tool wrote several. Throws OciError STORE_CORRUPT. */
export function findEntry(store: ContentStore, name: string): Descriptor | undefined {
  return readIndex(store).findLast((descriptor) => descriptor.annotations?.[REF_NAME] === name);
}

/** Let `name` (a canonical reference) mean `descriptor`, instead of what it meant. Durable when it resolves. */
export async function tagImage(
  store: ContentStore,
  name: string,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<void> {
  const annotations = { ...descriptor.annotations, [REF_NAME]: name };
  const { mediaType, digest, size, platform } = descriptor;
  const entry = { mediaType, digest, size, ...(platform === undefined ? {} : { platform }), annotations };
  await updateIndex(store, (entries) => [...entries.filter((one) => nameOf(one) !== name), entry], signal);
}

/** Forget `name`; its blobs stay until they are pruned. Returns whether it was there. */
export async function untagImage(store: ContentStore, name: string, signal?: AbortSignal): Promise<boolean> {
  let found = false;
  const others = (entries: readonly RawEntry[]): readonly RawEntry[] => {
    const kept = entries.filter((one) => nameOf(one) !== name);
    found = kept.length !== entries.length;
    return kept;
  };
  await updateIndex(store, others, signal);
  return found;
}

async function updateIndex(
  store: ContentStore,
  change: (entries: readonly RawEntry[]) => readonly RawEntry[],
  signal: AbortSignal | undefined,
): Promise<void> {
  using _held = await lock(join(store.directory, '.index.lock'), 'exclusive', signal);
  const { document, entries } = readOrSetAside(store);
  const manifests = change(entries);
  const unchanged = manifests.length === entries.length && JSON.stringify(manifests) === JSON.stringify(entries);
  if (unchanged) return;
  const bytes = Buffer.from(JSON.stringify({ ...document, manifests }));
  await writeDurably(join(store.directory, 'index.json'), bytes, store.ingestDirectory);
}

function readRaw(store: ContentStore): RawIndex {
  const document = plainObject(parseJson(readFileSync(join(store.directory, 'index.json'))), '');
  return { document, entries: decodeIndex(document, '').manifests ?? [] };
}

// An unreadable index heals: it is kept aside for people, and pulls fill a new one.
function readOrSetAside(store: ContentStore): RawIndex {
  try {
    return readRaw(store);
  } catch (error) {
    const path = join(store.directory, 'index.json');
    if (error instanceof DecodeError) renameSync(path, `${path}.unreadable`);
    else if (!isErrno(error, 'ENOENT')) throw error;
    return { document: { schemaVersion: 2, mediaType: OCI_INDEX }, entries: [] };
  }
}

function decodeEntry(entry: RawEntry): readonly Descriptor[] {
  try {
    return [decodeDescriptor(entry, '')];
  } catch (error) {
    // Another tool's entry that berth cannot use must not hide those that it can.
    if (error instanceof DecodeError) return [];
    throw error;
  }
}

function nameOf(entry: RawEntry): unknown {
  const annotations = entry['annotations'];
  if (typeof annotations !== 'object' || annotations === null) return undefined;
  return (annotations as Readonly<Record<string, unknown>>)[REF_NAME];
}
