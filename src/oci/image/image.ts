// An image that is in the content store: what the rest of berth knows of it.
import type { ImageConfig } from './image-config.ts';
import type { Descriptor } from './manifest.ts';

export type Image = {
  /** The canonical reference it was asked for by, such as `docker.io/library/nginx:1.27`. */
  readonly reference: string;
  /** Digest of the platform's image manifest: the identity that workload hashes use. */
  readonly digest: string;
  /** Digest of the config: what Docker and CRI call the image id. */
  readonly configDigest: string;
  readonly config: ImageConfig;
  /** Lowest layer first, as in the manifest, each with the digest of its uncompressed tar. */
  readonly layers: readonly { readonly descriptor: Descriptor; readonly diffID: string }[];
  /** Sum of the compressed layers and the config, in bytes. */
  readonly sizeBytes: number;
};
