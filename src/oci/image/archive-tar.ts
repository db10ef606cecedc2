// An image archive in a tar file: its headers are read once, then its files are read where they lie. Nothing is written.
import { constants } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';

import { OciError } from '../error.ts';

import type { Archive, ArchiveFile } from './archive.ts';
import { freeBlock } from './blocks.ts';
import { fileBlocks } from './file-blocks.ts';
import { inflateArchive } from './inflate-archive.ts';
import type { TarHeader } from './tar-entry.ts';
import { TAR_LIMITS, TarParser } from './tar-parser.ts';

const MAX_ENTRIES = 100_000;
const MAX_LINKS = 8;
const { O_RDONLY, O_NOCTTY } = constants;

type Place = { readonly start: number; readonly sizeBytes: number } | { readonly link: string };

/**
 * Open a tar, also one that is compressed with gzip or zstd (which is inflated to `temporaryPath` first). Disposing closes
 * it. Throws OciError TAR_INVALID or ARCHIVE_INVALID.
 */
export async function openTarArchive(
  path: string,
  { temporaryPath, reserveBytes }: { readonly temporaryPath: string; readonly reserveBytes: number | undefined },
): Promise<Archive> {
  const original = await open(path, O_RDONLY | O_NOCTTY);
  let inflated: FileHandle | undefined;
  try {
    inflated = await inflateArchive(original, { temporaryPath, reserveBytes });
    const file = inflated ?? original;
    const archive = new TarArchive(path, file, await scan(file));
    if (inflated !== undefined) await original.close();
    return archive;
  } catch (error) {
    await original.close();
    await inflated?.close();
    throw error;
  } finally {
    // An open file needs no name: what a crash leaves is only what was written before this line.
    await rm(temporaryPath, { force: true });
  }
}

class TarArchive implements Archive {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #places: ReadonlyMap<string, Place>;

  constructor(path: string, file: FileHandle, places: ReadonlyMap<string, Place>) {
    this.#path = path;
    this.#file = file;
    this.#places = places;
  }

  async find(path: string): Promise<ArchiveFile | undefined> {
    let place = this.#places.get(path);
    let name = path;
    // `docker save` of old links layers that images share. A link is a name in this archive and nothing else.
    for (let links = 0; place !== undefined && 'link' in place; links += 1) {
      if (links === MAX_LINKS) throw new OciError('ARCHIVE_INVALID', `${path} in ${this.#path} is a link without end`);
      name = posix.join(posix.dirname(name), place.link);
      place = this.#places.get(name);
    }
    if (place === undefined) return undefined;
    const { start, sizeBytes } = place;
    return { sizeBytes, read: (offset) => fileBlocks(this.#file, start + offset, start + sizeBytes) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

async function scan(file: FileHandle): Promise<ReadonlyMap<string, Place>> {
  const { size } = await file.stat();
  const places = new Map<string, Place>();
  let [header, chunkStart, bodyStart]: [TarHeader | undefined, number, number | undefined] = [undefined, 0, undefined];
  let chunk: Buffer = Buffer.alloc(0);
  const parser = new TarParser(
    {
      entry: (next) => ([header, bodyStart] = [next, undefined]),
      // A view of the chunk: its place in the chunk is its place in the file.
      data: (bytes) => (bodyStart ??= chunkStart + bytes.byteOffset - chunk.byteOffset),
      end: () => remember(places, header, bodyStart ?? 0),
    },
    { ...TAR_LIMITS, entries: MAX_ENTRIES },
  );
  for await (const block of fileBlocks(file, 0, size)) {
    chunk = block;
    parser.push(block);
    if (parser.ended) break;
    chunkStart += block.length;
    freeBlock(block);
  }
  parser.finish();
  return places;
}

function remember(places: Map<string, Place>, header: TarHeader | undefined, start: number): void {
  if (header === undefined) return;
  const name = posix.normalize(header.name).replace(/^\/+/, '');
  if (header.type === 'file') places.set(name, { start, sizeBytes: header.size });
  if (header.type === 'symlink') places.set(name, { link: header.linkname });
  if (header.type === 'hardlink')
    places.set(name, { link: posix.relative(posix.dirname(name), posix.normalize(header.linkname)) });
}
