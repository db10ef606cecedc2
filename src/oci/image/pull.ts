// Ask a registry what a reference means, and pull it.
import { isOciError } from '../error.ts';

import { bringImage, type BringOptions } from './bring-image.ts';
import type { ContentStore } from './content-store.ts';
import { inContext } from './error-context.ts';
import { fetchImage } from './fetch-manifest.ts';
import type { Image } from './image.ts';
import { findEntry, SOURCE_DIGEST, tagImage } from './image-index.ts';
import type { Platform } from './manifest.ts';
import { hostPlatform, platformDistance } from './platform.ts';
import { formatReference, parseReference, type Reference } from './reference.ts';
import { RegistryClient, type RegistryOptions } from './registry/client.ts';
import { findReference, isComplete, resolveImage } from './resolve.ts';
import { takeStoreLease } from './store-lease.ts';

export type PullOptions = BringOptions & {
  readonly registry?: RegistryOptions;
  /** What `resolveAtRegistry` answered: fetch this, and let the reference mean it, whatever its tag means by now. */
  readonly digest?: string;
};

export type ResolveOptions = {
  readonly store: ContentStore;
  readonly platform?: Platform;
  readonly registry?: RegistryOptions;
  readonly signal?: AbortSignal;
};

/**
 * The digest of the platform's manifest that a reference means at its registry now. Stores nothing. Throws OciError, whose
 * message begins with `Cannot resolve <reference>: `, or the signal's reason.
 */
export async function resolveAtRegistry(reference: string, options: ResolveOptions): Promise<string> {
  const parsed = parseReference(reference);
  const name = formatReference(parsed);
  const { store, platform = hostPlatform(), registry, signal } = options;
  try {
    using client = new RegistryClient(parsed, registry);
    const target = parsed.digest ?? parsed.tag ?? 'latest';
    const here = resolveImage(store, name, platform);
    const known = here === undefined ? undefined : findReference(store, parsed)?.annotations?.[SOURCE_DIGEST];
    if (here !== undefined && known !== undefined && known === (await currentDigest(client, target, signal))) {
      return here.digest;
    }
    return (await fetchImage(client, target, { platform, signal })).descriptor.digest;
  } catch (error) {
    signal?.throwIfAborted();
    throw inContext(error, `Cannot resolve ${name}`);
  }
}

/**
 * Make the image of `reference` available: afterwards `resolveImage` finds it and all its layers are unpacked. A tag is
 * compared with the registry; a digest that is here already needs no network. Throws OciError, whose message begins with
 * `Cannot pull <reference>: `, or the signal's reason.
 */
export async function pullImage(reference: string, options: PullOptions): Promise<Image> {
  const parsed = parseReference(reference);
  const name = formatReference(parsed);
  const { store, signal } = options;
  try {
    using _lease = await takeStoreLease(store, signal);
    using client = new RegistryClient(parsed, options.registry);
    const target = options.digest ?? parsed.digest ?? parsed.tag ?? 'latest';
    const here = options.digest === undefined ? await present(parsed, client, options) : undefined;
    return here ?? (await bringImage(client, { name, target }, options));
  } catch (error) {
    signal?.throwIfAborted();
    throw inContext(error, `Cannot pull ${name}`);
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
