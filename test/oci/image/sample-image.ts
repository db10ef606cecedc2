// Small images made in memory, as a registry would serve them.
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { digestOf } from '../../../src/oci/image/digest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../src/oci/image/media-type.ts';
import { hostPlatform } from '../../../src/oci/image/platform.ts';

export type SampleImage = {
  readonly manifest: Buffer;
  readonly digest: string;
  /** Config and layers by digest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly layerDigests: readonly string[];
  readonly diffIDs: readonly string[];
};

export type SampleOptions = {
  readonly layerBytes?: readonly number[];
  readonly architecture?: string;
};

/** An image whose layers are gzipped random bytes (no tar: the tests' layer store only counts and hashes). */
export function sampleImage({
  layerBytes = [200_000],
  architecture = hostPlatform().architecture,
}: SampleOptions = {}): SampleImage {
  const contents = layerBytes.map((size) => randomBytes(size));
  const layers = contents.map((content) => gzipSync(content, { level: 1 }));
  const diffIDs = contents.map((content) => digestOf(content));
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      config: { Env: ['PATH=/bin'], Cmd: ['/bin/true'], Volumes: null },
      rootfs: { type: 'layers', diff_ids: diffIDs },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length },
      layers: layers.map((layer) => ({ mediaType: OCI_LAYER_GZIP, digest: digestOf(layer), size: layer.length })),
    }),
  );
  return {
    manifest,
    digest: digestOf(manifest),
    blobs: new Map([config, ...layers].map((blob) => [digestOf(blob), blob])),
    layerDigests: layers.map((layer) => digestOf(layer)),
    diffIDs,
  };
}
