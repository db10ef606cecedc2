// Pull an image from its registry.
import { isOciError } from '../error.ts';

import { bringImage, type BringOptions } from './bring-image.ts';
import { inContext } from './error-context.ts';
import type { Image } from './image.ts';
import { findEntry, SOURCE_DIGEST, tagImage } from './image-index.ts';
import { hostPlatform, platformDistance } from './platform.ts';
import { formatReference, parseReference, type Reference } from './reference.ts';
import { RegistryClient, type RegistryOptions } from './registry/client.ts';
import { findReference, isComplete, resolveImage } from './resolve.ts';
import { takeStoreLease } from './store-lease.ts';

export type PullOptions = BringOptions & { readonly registry?: RegistryOptions };

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
    const target = parsed.digest ?? parsed.tag ?? 'latest';
    return (await present(parsed, client, options)) ?? (await bringImage(client, { name, target }, options));
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
