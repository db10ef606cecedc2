// An archive as a source of images: its blobs, by digest.
import { OciError } from '../error.ts';

import type { Archive, ArchiveFile } from './archive.ts';
import { parseDigest, verifyDigest } from './digest.ts';
import type { FetchedManifest, ImageSource, OpenBlob } from './image-source.ts';
import { MAX_MANIFEST_BYTES, type Descriptor } from './manifest.ts';
import type { RetryPolicy } from './registry/retry.ts';

/** Reads an archive's small file whole. Throws OciError ARCHIVE_INVALID when it is larger than `maxBytes`. */
export async function readSmall(file: ArchiveFile, path: string, maxBytes: number): Promise<Buffer> {
  if (file.sizeBytes > maxBytes) {
    throw new OciError('ARCHIVE_INVALID', `${path} has ${file.sizeBytes} bytes, more than ${maxBytes}`);
  }
  return Buffer.concat(await Array.fromAsync(file.read(0)));
}

/** Where a layout keeps a blob. Throws OciError DIGEST_INVALID. */
export function layoutBlobPath(digest: string): string {
  const { algorithm, hex } = parseDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}

/** The images of an OCI image layout. */
export class LayoutSource implements ImageSource {
  // A file does not get better by being read again.
  readonly retry: RetryPolicy = { attempts: 1, baseMs: 0, maxMs: 0, maxRetryAfterMs: 0 };
  readonly #archive: Archive;
  readonly #entries: readonly Descriptor[];

  constructor(archive: Archive, entries: readonly Descriptor[]) {
    this.#archive = archive;
    this.#entries = entries;
  }

  async manifest(target: string): Promise<FetchedManifest> {
    const bytes = await this.#small(target, MAX_MANIFEST_BYTES);
    return { bytes, digest: target, contentType: this.#entries.find(({ digest }) => digest === target)?.mediaType };
  }

  async blob({ digest, size }: Descriptor): Promise<Buffer> {
    const bytes = await this.#small(digest, size);
    if (bytes.length === size) return bytes;
    throw new OciError('SIZE_MISMATCH', `blob ${digest} has ${bytes.length} bytes, expected ${size}`);
  }

  async openBlob({ digest, size }: Descriptor, offset: number): Promise<OpenBlob> {
    const file = await this.#find(digest);
    if (file.sizeBytes !== size) {
      throw new OciError('SIZE_MISMATCH', `blob ${digest} has ${file.sizeBytes} bytes, expected ${size}`);
    }
    return {
      offset,
      body: file.read(offset),
      failure: (cause) => (cause instanceof Error ? cause : new Error(String(cause))),
    };
  }

  async #small(digest: string, maxBytes: number): Promise<Buffer> {
    const path = layoutBlobPath(digest);
    const bytes = await readSmall(await this.#find(digest), path, maxBytes);
    verifyDigest(bytes, digest, path);
    return bytes;
  }

  async #find(digest: string): Promise<ArchiveFile> {
    const path = layoutBlobPath(digest);
    const file = await this.#archive.find(path);
    if (file === undefined) throw new OciError('ARCHIVE_INVALID', `${path} is missing in the archive`);
    return file;
  }
}
