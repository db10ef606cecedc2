// From a tag or digest to the manifest and config of the image for one platform.
import { OciError } from '../error.ts';

import { MAX_CONFIG_BYTES, parseImageConfig, type ImageConfig } from './image-config.ts';
import type { ImageSource } from './image-source.ts';
import { parseManifest, type Descriptor, type Index, type Manifest, type Platform } from './manifest.ts';
import { choosePlatform, formatPlatform, platformDistance } from './platform.ts';
import { MAX_INDEX_DEPTH } from './resolve.ts';

export type FetchedImage = {
  /** What the registry gave for the reference: the index's digest, or the manifest's. */
  readonly sourceDigest: string;
  /** Of the manifest. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
};

/**
 * Fetch manifest and config, through an index if there is one. Nothing is stored. Throws OciError, PLATFORM_UNAVAILABLE
 * when the image is not for `platform`.
 */
export async function fetchImage(
  source: ImageSource,
  target: string,
  { platform, signal }: { readonly platform: Platform; readonly signal: AbortSignal | undefined },
): Promise<FetchedImage> {
  const found = await fetchManifest(source, target, { platform, signal });
  const { config: descriptor } = found.manifest;
  if (descriptor.size > MAX_CONFIG_BYTES) {
    throw new OciError(
      'MANIFEST_INVALID',
      `the image config is announced with ${descriptor.size} bytes, more than 8 MiB`,
    );
  }
  const configBytes = await source.blob(descriptor, signal);
  const config = parseImageConfig(configBytes);
  if (platformDistance(config, platform) === undefined) {
    throw unavailable(platform, [formatPlatform(config)]);
  }
  return { ...found, config, configBytes };
}

async function fetchManifest(
  source: ImageSource,
  target: string,
  { platform, signal }: { readonly platform: Platform; readonly signal: AbortSignal | undefined },
): Promise<Omit<FetchedImage, 'config' | 'configBytes'>> {
  const top = await source.manifest(target, signal);
  let [fetched, expected]: [typeof top, Descriptor | undefined] = [top, undefined];
  for (let depth = 0; depth < MAX_INDEX_DEPTH; depth += 1) {
    if (depth > 0 && expected !== undefined) fetched = await source.manifest(expected.digest, signal);
    const { bytes, digest, contentType } = fetched;
    const document = parseManifest(bytes, contentType ?? expected?.mediaType);
    checkExpected(document.kind === 'index' ? document.index : document.manifest, bytes.length, expected);
    if (document.kind === 'manifest') {
      const { manifest } = document;
      const descriptor = { mediaType: manifest.mediaType, digest, size: bytes.length, platform: expected?.platform };
      return { sourceDigest: top.digest, descriptor, manifest, manifestBytes: bytes };
    }
    expected = choose(document.index, platform);
  }
  throw new OciError('MANIFEST_INVALID', `index ${top.digest} nests more than ${MAX_INDEX_DEPTH} deep`);
}

function checkExpected({ mediaType }: Manifest | Index, sizeBytes: number, expected: Descriptor | undefined): void {
  if (expected === undefined) return;
  if (sizeBytes !== expected.size) {
    throw new OciError(
      'SIZE_MISMATCH',
      `manifest ${expected.digest} has ${sizeBytes} bytes, its index says ${expected.size}`,
    );
  }
  if (mediaType !== expected.mediaType) {
    throw new OciError(
      'MANIFEST_INVALID',
      `manifest ${expected.digest} is ${mediaType}, its index says ${expected.mediaType}`,
    );
  }
}

function choose({ manifests }: Index, platform: Platform): Descriptor {
  const chosen = choosePlatform(manifests, platform);
  if (chosen !== undefined) return chosen;
  throw unavailable(
    platform,
    manifests.flatMap((descriptor) => (descriptor.platform === undefined ? [] : [formatPlatform(descriptor.platform)])),
  );
}

function unavailable(platform: Platform, offered: readonly string[]): OciError {
  const real = [...new Set(offered)].filter((one) => one !== 'unknown/unknown').slice(0, 20);
  return new OciError(
    'PLATFORM_UNAVAILABLE',
    `the image is for ${real.join(', ') || 'no platform'}, not for ${formatPlatform(platform)}`,
  );
}
