// What `docker save` wrote before it wrote OCI layouts: manifest.json, configs, and layers as plain tars. It has no image
// manifests, so they are made here.
import { createHash } from 'node:crypto';

import { OciError } from '../error.ts';

import type { Archive, ArchiveFile } from './archive.ts';
import { readSmall } from './archive-source.ts';
import { freeBlock } from './blocks.ts';
import { digestOf } from './digest.ts';
import { MAX_CONFIG_BYTES, parseImageConfig } from './image-config.ts';
import type { FetchedManifest, ImageSource, OpenBlob } from './image-source.ts';
import { DecodeError, fields, list, optional, parseJson, text } from './json-decode.ts';
import { MAX_MANIFEST_BYTES, type Descriptor } from './manifest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_LAYER_TAR, OCI_LAYER_ZSTD, OCI_MANIFEST } from './media-type.ts';
import type { RetryPolicy } from './registry/retry.ts';

const decodeManifest = list(
  fields({ Config: text(), RepoTags: optional(list(text(), 1000)), Layers: list(text(), 500) }),
  1000,
);
type Item = ReturnType<typeof decodeManifest>[number];

export type DockerImage = {
  /** As in the archive, such as `app:1`; empty when it was saved by id. */
  readonly names: readonly string[];
  /** Digest of the manifest that was made for it. */
  readonly digest: string;
};

/** The images of a `docker save` archive, as a source. */
export class DockerArchiveSource implements ImageSource {
  readonly retry: RetryPolicy = { attempts: 1, baseMs: 0, maxMs: 0, maxRetryAfterMs: 0 };
  readonly #documents = new Map<string, Buffer>();
  readonly #layers = new Map<string, ArchiveFile>();
  readonly #images: DockerImage[] = [];

  /** Read what an archive contains. Throws OciError ARCHIVE_INVALID. */
  static async open(archive: Archive): Promise<DockerArchiveSource> {
    const source = new DockerArchiveSource();
    const bytes = await readSmall(await required(archive, 'manifest.json'), 'manifest.json', MAX_MANIFEST_BYTES);
    for (const item of decode(bytes)) await source.#add(archive, item);
    return source;
  }

  get images(): readonly DockerImage[] {
    return this.#images;
  }

  async manifest(target: string): Promise<FetchedManifest> {
    return { bytes: this.#document(target), digest: target, contentType: OCI_MANIFEST };
  }

  async blob({ digest }: Descriptor): Promise<Buffer> {
    return this.#document(digest);
  }

  async openBlob({ digest }: Descriptor, offset: number): Promise<OpenBlob> {
    const file = this.#layers.get(digest);
    if (file === undefined) throw new OciError('ARCHIVE_INVALID', `layer ${digest} is missing in the archive`);
    return {
      offset,
      body: file.read(offset),
      failure: (cause) => (cause instanceof Error ? cause : new Error(String(cause))),
    };
  }

  #document(digest: string): Buffer {
    const bytes = this.#documents.get(digest);
    if (bytes === undefined) throw new OciError('ARCHIVE_INVALID', `${digest} is missing in the archive`);
    return bytes;
  }

  async #add(archive: Archive, { Config, RepoTags, Layers }: Item): Promise<void> {
    const config = await readSmall(await required(archive, Config), Config, MAX_CONFIG_BYTES);
    const diffIDs = parseImageConfig(config).rootfs.diff_ids;
    const layers: Descriptor[] = [];
    for (const [at, path] of Layers.entries()) {
      const file = await required(archive, path);
      const descriptor = await describeLayer(file, diffIDs[at]);
      this.#layers.set(descriptor.digest, file);
      layers.push(descriptor);
    }
    const configDescriptor = { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length };
    const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: configDescriptor, layers };
    const manifest = Buffer.from(JSON.stringify(document));
    this.#documents.set(configDescriptor.digest, config);
    this.#documents.set(digestOf(manifest), manifest);
    this.#images.push({ names: RepoTags ?? [], digest: digestOf(manifest) });
  }
}

// A plain tar is known by its diffID, which is verified when it is read; a compressed one has to be hashed to get a name.
async function describeLayer(file: ArchiveFile, diffID: string | undefined): Promise<Descriptor> {
  const size = file.sizeBytes;
  const mediaType = await layerType(file);
  if (mediaType === OCI_LAYER_TAR && diffID !== undefined) return { mediaType, digest: diffID, size };
  const hash = createHash('sha256');
  for await (const block of file.read(0)) {
    hash.update(block);
    freeBlock(block);
  }
  return { mediaType, digest: `sha256:${hash.digest('hex')}`, size };
}

async function layerType(file: ArchiveFile): Promise<string> {
  for await (const block of file.read(0)) {
    if (block.length >= 2 && block.readUInt16BE(0) === 0x1f8b) return OCI_LAYER_GZIP;
    if (block.length >= 4 && block.readUInt32LE(0) === 0xfd2fb528) return OCI_LAYER_ZSTD;
    break;
  }
  return OCI_LAYER_TAR;
}

async function required(archive: Archive, path: string): Promise<ArchiveFile> {
  const file = await archive.find(path);
  if (file === undefined) throw new OciError('ARCHIVE_INVALID', `${JSON.stringify(path)} is missing in the archive`);
  return file;
}

function decode(bytes: Buffer): readonly Item[] {
  try {
    return decodeManifest(parseJson(bytes), '');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new OciError('ARCHIVE_INVALID', `manifest.json: ${error.message}`, { cause: error });
  }
}
