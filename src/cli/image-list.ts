// The images in the content store as commands show them.
import type { Host } from '../oci/host.ts';
import { readIndex, REF_NAME } from '../oci/image/image-index.ts';
import { isComplete, resolveImage } from '../oci/image/resolve.ts';

/** One name of an image. This is also what `-o json` prints: names stay. */
export type ImageView = {
  readonly reference: string;
  /** Of the platform's manifest. */
  readonly digest: string;
  readonly imageID: string;
  readonly platform: string;
  /** RFC 3339, as whoever built it says. */
  readonly created?: string;
  /** Compressed. */
  readonly sizeBytes: number;
  readonly layers: number;
  /** Every layer is here and unpacked. */
  readonly complete: boolean;
};

/** Every named image that this machine can run, by name. */
export function listImages(host: Host): ImageView[] {
  const names = new Set(readIndex(host.content).flatMap(({ annotations }) => annotations?.[REF_NAME] ?? []));
  return [...names].sort().flatMap((name): ImageView[] => {
    const image = resolvable(host, name);
    if (image === undefined) return [];
    const { os, architecture, variant, created } = image.config;
    return [
      {
        reference: name,
        digest: image.digest,
        imageID: image.configDigest,
        platform: [os, architecture, ...(variant === undefined ? [] : [variant])].join('/'),
        ...(created === undefined ? {} : { created }),
        sizeBytes: image.sizeBytes,
        layers: image.layers.length,
        complete: isComplete(image, host.content, host.layers),
      },
    ];
  });
}

/** Names that another tool wrote need not be references. */
function resolvable(host: Host, name: string) {
  try {
    return resolveImage(host.content, name);
  } catch {
    return undefined;
  }
}
