// The present content of a directory of manifests.
import { createHash } from 'node:crypto';
import { constants, type BigIntStats } from 'node:fs';
import { open, readdir, realpath, stat, type FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';

import { isErrno } from '../linux/errno.ts';
import { isOpenForWriting } from '../linux/lease.ts';
import {
  decodeManifest,
  IMAGES_DIRECTORY,
  isHidden,
  isImageArchivePath,
  isManifestPath,
  MAX_SOURCE_DEPTH,
  MAX_SOURCE_ENTRIES,
  SourceBudget,
  tooMuch,
} from './manifest-path.ts';
import { SourceError, type SourceFile, type SourceImage } from './source.ts';

/** Files that are open at a time. */
const SIDE_BY_SIDE = 32;

export type DirectoryContent = {
  /** `sha256:` and the digest of all that follows. */
  readonly revision: string;
  readonly files: readonly SourceFile[];
  readonly images: readonly SourceImage[];
  /** A file was being written while it was read: its text may be half of what it will be. */
  readonly isUnfinished: boolean;
};

/** Told of each directory before it is read, so that it can be watched: nothing that changes afterwards is missed. */
export type OnDirectory = (path: string, identity: string) => void;

/**
 * Read every manifest below `root`. Links are followed where they stay below it. Throws SourceError for what is missing,
 * not text, too large, or leads out; errors of the file system become SOURCE_IO.
 */
export async function readDirectory(root: string, onDirectory: OnDirectory = ignore): Promise<DirectoryContent> {
  try {
    return await readAll(root, onDirectory);
  } catch (error) {
    if (error instanceof SourceError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new SourceError('SOURCE_IO', `Cannot read ${root}: ${message}`, { cause: error });
  }
}

function ignore(): void {}

async function readAll(root: string, onDirectory: OnDirectory): Promise<DirectoryContent> {
  const walk: Walk = { realRoot: await realRootOf(root), paths: [], entries: 0, onDirectory };
  await descend(walk, { directory: walk.realRoot, prefix: '', trail: [] });
  const budget = new SourceBudget();
  const manifests: ReadManifest[] = [];
  const wanted = walk.paths.filter(({ path }) => isManifestPath(path));
  wanted.sort((one, other) => (one.path < other.path ? -1 : 1));
  for (let start = 0; start < wanted.length; start += SIDE_BY_SIDE) {
    const some = wanted.slice(start, start + SIDE_BY_SIDE);
    manifests.push(...(await Promise.all(some.map(({ path, place }) => readManifest(path, place, budget)))));
  }
  const files = manifests.map(({ path, text }) => ({ path, text }));
  const images = await readImages(walk);
  const revision = `sha256:${createHash('sha256').update(JSON.stringify({ files, images })).digest('hex')}`;
  return { revision, files, images, isUnfinished: manifests.some((manifest) => manifest.isUnfinished) };
}

async function realRootOf(root: string): Promise<string> {
  try {
    const real = await realpath(root);
    if ((await stat(real)).isDirectory()) return real;
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new SourceError('SOURCE_MISSING', `There is no directory ${root}`, { cause: error });
  }
  throw new SourceError('SOURCE_MISSING', `${root} is not a directory`);
}

type Found = { readonly path: string; readonly place: string };
type Walk = { readonly realRoot: string; readonly paths: Found[]; entries: number; readonly onDirectory: OnDirectory };
type Level = {
  /** Without links. */
  readonly directory: string;
  readonly prefix: string;
  /** The directories on the way here: a link back to one of them is a circle. */
  readonly trail: readonly string[];
};

async function descend(walk: Walk, { directory, prefix, trail }: Level): Promise<void> {
  if (trail.length > MAX_SOURCE_DEPTH) throw tooMuch(`directories deeper than ${MAX_SOURCE_DEPTH}`);
  const { dev, ino } = await stat(directory, { bigint: true });
  walk.onDirectory(directory, `${dev}:${ino}`);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    walk.entries += 1;
    if (walk.entries > MAX_SOURCE_ENTRIES) throw tooMuch(`more than ${MAX_SOURCE_ENTRIES} directory entries`);
    const path = `${prefix}${entry.name}`;
    if (isHidden(path)) continue;
    const place = join(directory, entry.name);
    if (entry.isDirectory()) {
      await descend(walk, { directory: place, prefix: `${path}/`, trail: [...trail, directory] });
    } else if (entry.isFile()) walk.paths.push({ path, place });
    else if (entry.isSymbolicLink()) await followLink(walk, path, place, [...trail, directory]);
  }
}

/** ConfigMap mounts are links (`web.yaml` → `..data/web.yaml`); a link that leads out would show other files in errors. */
async function followLink(walk: Walk, path: string, place: string, trail: readonly string[]): Promise<void> {
  const target = await realpath(place).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT', 'ELOOP', 'ENOTDIR')) throw error;
    return undefined;
  });
  const info = target === undefined ? undefined : await stat(target);
  if (target === undefined || info === undefined) {
    if (!isManifestPath(path)) return;
    throw new SourceError('SOURCE_INVALID', `${path} is a link to nothing`);
  }
  const isRelevant = info.isDirectory() || isManifestPath(path) || isImageArchivePath(path);
  if (!isRelevant) return;
  if (target !== walk.realRoot && !target.startsWith(walk.realRoot + sep)) {
    throw new SourceError('SOURCE_INVALID', `${path} is a link that leads out of the source`);
  }
  if (!info.isDirectory()) walk.paths.push({ path, place: target });
  else if (!trail.includes(target)) await descend(walk, { directory: target, prefix: `${path}/`, trail });
}

type ReadManifest = SourceFile & { readonly isUnfinished: boolean };

async function readManifest(path: string, place: string, budget: SourceBudget): Promise<ReadManifest> {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  await using handle = await open(place, constants.O_RDONLY | constants.O_NONBLOCK);
  const before = await handle.stat({ bigint: true });
  if (!before.isFile()) throw new SourceError('SOURCE_INVALID', `${path} is not a regular file`);
  budget.add(path, Number(before.size));
  const bytes = await readBytes(handle, Number(before.size));
  const after = await handle.stat({ bigint: true });
  const isUnfinished = isOpenForWriting(handle.fd) || version(before) !== version(after);
  // Half a character at the end of half a file is no news.
  const text = isUnfinished ? new TextDecoder().decode(bytes) : decodeManifest(path, bytes);
  return { path, text, isUnfinished };
}

/** At most `size` bytes: a file that grows meanwhile is read again. */
async function readBytes(handle: FileHandle, size: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(size);
  let offset = 0;
  while (offset < size) {
    const { bytesRead } = await handle.read(buffer, offset, size - offset, offset);
    if (bytesRead === 0) break;
    offset += bytesRead;
  }
  return buffer.subarray(0, offset);
}

/** Archives `images/*.oci.tar`, and layouts: directories below `images/` with an `oci-layout` file in them. */
async function readImages({ realRoot, paths }: Walk): Promise<SourceImage[]> {
  const archives = paths.filter(({ path }) => isImageArchivePath(path));
  const marker = /^images\/(.+\/)?oci-layout$/;
  const layouts = paths.filter(({ path }) => path.startsWith(`${IMAGES_DIRECTORY}/`) && marker.test(path));
  const found = [
    ...archives.map(({ path, place }) => ({ path, probe: place })),
    ...layouts.map(({ path, place }) => {
      const directory = path.slice(0, -'/oci-layout'.length);
      return { path: directory, probe: join(place, '..', 'index.json') };
    }),
  ];
  return Promise.all(
    found.map(async ({ path, probe }) => {
      const info = await stat(probe, { bigint: true });
      return { path: join(realRoot, path), version: version(info) };
    }),
  );
}

function version({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino}-${size}-${mtimeNs}-${ctimeNs}`;
}
