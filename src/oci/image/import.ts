// Import images from a file or directory, without a network: an OCI image layout, an oci-archive, a `docker save` archive.
import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import { isOciError, OciError } from '../error.ts';

import type { Archive } from './archive.ts';
import { openDirectoryArchive } from './archive-directory.ts';
import { LayoutSource } from './archive-source.ts';
import { openTarArchive } from './archive-tar.ts';
import { bringImage, type BringOptions, type Wanted } from './bring-image.ts';
import { DockerArchiveSource } from './docker-archive.ts';
import { inContext } from './error-context.ts';
import type { Image } from './image.ts';
import type { ImageSource } from './image-source.ts';
import { fallbackName, layoutName, readLayoutIndex } from './layout-images.ts';
import { formatReference, parseReference } from './reference.ts';
import { takeStoreLease } from './store-lease.ts';

export type ImportOptions = BringOptions & {
  /** The reference to give the image, for archives of exactly one; by default the archive says it. */
  readonly name?: string;
};

/**
 * Import every image of `path` that is for this machine's platform: digests are verified, layers unpacked, references
 * recorded. Names come from the archive; images without one become `localhost/<file name>`. Throws OciError, whose message
 * begins with `Cannot import <path>: `.
 */
export async function importImages(path: string, options: ImportOptions): Promise<Image[]> {
  const { store, signal } = options;
  try {
    using _lease = await takeStoreLease(store, signal);
    await using archive = await openArchive(path, options);
    const { source, wanted } = await readContents(archive, path);
    const named = rename(wanted, options.name);
    return await bringAll(source, named, options);
  } catch (error) {
    signal?.throwIfAborted();
    throw inContext(error, `Cannot import ${path}`);
  }
}

async function openArchive(path: string, { store, reserveBytes }: ImportOptions): Promise<Archive> {
  try {
    const status = await stat(path);
    if (status.isDirectory()) return await openDirectoryArchive(path);
    if (!status.isFile()) throw new OciError('ARCHIVE_INVALID', 'it is neither a file nor a directory');
    return await openTarArchive(path, {
      temporaryPath: join(store.ingestDirectory, `import-${randomUUID()}`),
      reserveBytes,
    });
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new OciError('ARCHIVE_INVALID', 'there is no such file or directory', { cause: error });
  }
}

async function readContents(
  archive: Archive,
  path: string,
): Promise<{ source: ImageSource; wanted: readonly Wanted[] }> {
  const fallback = fallbackName(path);
  // Newer `docker save` writes both kinds into one archive; the layout is the one with digests.
  if ((await archive.find('oci-layout')) !== undefined || (await archive.find('manifest.json')) === undefined) {
    const entries = await readLayoutIndex(archive);
    const wanted = entries.map((entry) => ({ name: layoutName(entry, fallback), target: entry.digest }));
    return { source: new LayoutSource(archive, entries), wanted };
  }
  const source = await DockerArchiveSource.open(archive);
  const wanted = source.images.flatMap(({ names, digest }) =>
    (names.length === 0 ? [`localhost/${fallback}`] : names).map((name) => ({
      name: formatReference(parseReference(name)),
      target: digest,
    })),
  );
  return { source, wanted };
}

function rename(wanted: readonly Wanted[], name: string | undefined): readonly Wanted[] {
  const [only] = wanted;
  if (only === undefined) throw new OciError('ARCHIVE_INVALID', 'it contains no image');
  if (name === undefined) return wanted;
  const targets = new Set(wanted.map(({ target }) => target));
  if (targets.size > 1)
    throw new OciError('ARCHIVE_INVALID', `it contains ${targets.size} images, so they cannot all be ${name}`);
  return [{ name: formatReference(parseReference(name)), target: only.target }];
}

// Images for other machines are passed over, unless there is nothing else.
async function bringAll(source: ImageSource, wanted: readonly Wanted[], options: BringOptions): Promise<Image[]> {
  const images: Image[] = [];
  let unavailable: OciError | undefined;
  for (const one of wanted) {
    try {
      images.push(await bringImage(source, one, options));
    } catch (error) {
      if (!isOciError(error, 'PLATFORM_UNAVAILABLE')) throw error;
      unavailable = error;
    }
  }
  if (images.length === 0 && unavailable !== undefined) throw unavailable;
  return images;
}
