// The image config: OCI image specification config.md. All of it is written by whoever built the image: hostile input.
import { OciError } from '../error.ts';

import { digestOf, isDigest } from './digest.ts';
import { DecodeError, fields, list, map, optional, parseJson, text, type Decode } from './json-decode.ts';

export const MAX_CONFIG_BYTES: number = 8 * 1024 * 1024;
const MAX_LAYERS = 500;
const MAX_STRINGS = 10_000;

/** How to run the image; names are the specification's. */
export type ImageProcess = {
  /** `user`, `uid`, `user:group` and so on; empty or missing is root. */
  readonly User?: string | undefined;
  readonly ExposedPorts?: Readonly<Record<string, unknown>> | undefined;
  /** `NAME=value`. */
  readonly Env?: readonly string[] | undefined;
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly Volumes?: Readonly<Record<string, unknown>> | undefined;
  readonly WorkingDir?: string | undefined;
  readonly Labels?: Readonly<Record<string, string>> | undefined;
  /** `SIGTERM` or a number. */
  readonly StopSignal?: string | undefined;
};

export type ImageConfig = {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string | undefined;
  readonly created?: string | undefined;
  readonly author?: string | undefined;
  readonly config?: ImageProcess | undefined;
  /** Digests of the uncompressed layers, lowest first. */
  readonly rootfs: { readonly diff_ids: readonly string[] };
};

const anything: Decode<unknown> = (value) => value;
const strings = optional(list(text(), MAX_STRINGS));

const decodeConfig: Decode<ImageConfig> = fields({
  architecture: text(),
  os: text(),
  variant: optional(text()),
  created: optional(text()),
  author: optional(text()),
  config: optional(
    fields({
      User: optional(text()),
      ExposedPorts: optional(map(anything)),
      Env: strings,
      Entrypoint: strings,
      Cmd: strings,
      Volumes: optional(map(anything)),
      WorkingDir: optional(text()),
      Labels: optional(map(text())),
      StopSignal: optional(text()),
    }),
  ),
  rootfs: fields({ diff_ids: list(text('a digest', isDigest), MAX_LAYERS) }),
});

/** Parse an image config of at most 8 MiB. Throws OciError MANIFEST_INVALID. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const label = `Image config ${digestOf(bytes)}`;
  if (bytes.length > MAX_CONFIG_BYTES) throw new OciError('MANIFEST_INVALID', `${label} is larger than 8 MiB`);
  try {
    return decodeConfig(parseJson(bytes), '');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new OciError('MANIFEST_INVALID', `${label}: ${error.message}`, { cause: error });
  }
}
