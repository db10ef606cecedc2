// Indexes and manifests: OCI image specification image-index.md and manifest.md, and Docker's schema 2 of the same.
import { OciError } from '../error.ts';

import { digestOf, isDigest } from './digest.ts';
import {
  DecodeError,
  fields,
  integer,
  list,
  map,
  optional,
  parseJson,
  plainObject,
  text,
  type Decode,
} from './json-decode.ts';
import {
  bareMediaType,
  isConfigType,
  isForeignLayerType,
  isIndexType,
  isManifestType,
  isSchema1Type,
  layerCompression,
} from './media-type.ts';

/** Registries refuse larger ones too (distribution specification, "Pushing Manifests"). */
export const MAX_MANIFEST_BYTES: number = 4 * 1024 * 1024;
const MAX_MANIFESTS = 1000;
/** The kernel takes at most 500 lower directories in one overlay mount. */
const MAX_LAYERS = 500;

export type Platform = {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
};

export type Descriptor = {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly platform?: Platform | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
};

export type Index = { readonly mediaType: string; readonly manifests: readonly Descriptor[] };

export type Manifest = {
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
};

export type ManifestDocument =
  { readonly kind: 'index'; readonly index: Index } | { readonly kind: 'manifest'; readonly manifest: Manifest };

const decodePlatform = fields({ os: text(), architecture: text(), variant: optional(text()) });
export const decodeDescriptor: Decode<Descriptor> = fields({
  mediaType: text(),
  digest: text('a digest', isDigest),
  size: integer(0),
  platform: optional(decodePlatform),
  annotations: optional(map(text())),
});
const decodeIndex = fields({ schemaVersion: integer(2, 2), manifests: list(decodeDescriptor, MAX_MANIFESTS) });
const decodeManifest = fields({
  schemaVersion: integer(2, 2),
  config: decodeDescriptor,
  layers: list(decodeDescriptor, MAX_LAYERS),
});

/**
 * Parse an index or a manifest. `contentType` is what the registry's header or the referring descriptor says it is; it
 * and the document's own `mediaType` must agree, and a document that could be read as both kinds is refused
 * (CVE-2021-41190). Throws OciError MANIFEST_INVALID or MANIFEST_UNSUPPORTED.
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): ManifestDocument {
  const label = `Manifest ${digestOf(bytes)}`;
  if (bytes.length > MAX_MANIFEST_BYTES) throw new OciError('MANIFEST_INVALID', `${label} is larger than 4 MiB`);
  try {
    const document = plainObject(parseJson(bytes), '');
    const mediaType = agreedMediaType(document, contentType, label);
    if (isIndexType(mediaType))
      return { kind: 'index', index: { mediaType, manifests: decodeIndex(document, '').manifests } };
    const { config, layers } = decodeManifest(document, '');
    refuseForeign(config, layers, label);
    return { kind: 'manifest', manifest: { mediaType, config, layers } };
  } catch (error) {
    if (error instanceof DecodeError)
      throw new OciError('MANIFEST_INVALID', `${label}: ${error.message}`, { cause: error });
    throw error;
  }
}

function agreedMediaType(
  document: Readonly<Record<string, unknown>>,
  contentType: string | undefined,
  label: string,
): string {
  const header = contentType === undefined ? '' : bareMediaType(contentType);
  const own = document['mediaType'] === undefined ? '' : text()(document['mediaType'], 'mediaType');
  if (isSchema1Type(header) || document['schemaVersion'] === 1) {
    throw new OciError(
      'MANIFEST_UNSUPPORTED',
      `${label} is of Docker schema 1, which is obsolete: push the image again`,
    );
  }
  if ('manifests' in document && ('layers' in document || 'config' in document)) {
    throw new OciError(
      'MANIFEST_INVALID',
      `${label} has both "manifests" and "layers" or "config": it could be read two ways`,
    );
  }
  // Static file servers say application/json, or octet-stream; then the document must say what it is.
  const declared = isIndexType(header) || isManifestType(header) ? header : '';
  if (own !== '' && declared !== '' && own !== declared) {
    throw new OciError('MANIFEST_INVALID', `${label} says it is ${own} but was served as ${declared}`);
  }
  const mediaType = own === '' ? declared : own;
  if (isIndexType(mediaType) || isManifestType(mediaType)) return mediaType;
  const known = mediaType === '' ? header : mediaType;
  throw new OciError('MANIFEST_UNSUPPORTED', `${label} is of type "${known}", which is no image manifest or index`);
}

function refuseForeign(config: Descriptor, layers: readonly Descriptor[], label: string): void {
  if (!isConfigType(config.mediaType)) {
    throw new OciError(
      'MANIFEST_UNSUPPORTED',
      `${label} is no container image: its config is of type "${config.mediaType}"`,
    );
  }
  for (const { mediaType, digest } of layers) {
    if (layerCompression(mediaType) !== undefined) continue;
    const why = isForeignLayerType(mediaType) ? 'is foreign: it must be fetched from elsewhere' : 'cannot be unpacked';
    throw new OciError('MANIFEST_UNSUPPORTED', `${label}: layer ${digest} of type "${mediaType}" ${why}`);
  }
}
