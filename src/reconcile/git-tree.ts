// The listing of a Git tree, and what in it a source takes. Pure.
import {
  decodeManifest,
  isHidden,
  isImageArchivePath,
  isManifestPath,
  MAX_SOURCE_ENTRIES,
  MAX_SOURCE_IMAGE_BYTES,
  SourceBudget,
  tooMuch,
} from './manifest-path.ts';
import { SourceError } from './source.ts';

export type TreeEntry = {
  readonly path: string;
  /** The name of the object: 40 or 64 hex digits. */
  readonly object: string;
  readonly sizeBytes: number;
};

export type TreeContent = {
  /** Sorted by path. */
  readonly manifests: readonly TreeEntry[];
  readonly archives: readonly TreeEntry[];
  /** OCI layouts: by directory, the files in them. */
  readonly layouts: ReadonlyMap<string, readonly TreeEntry[]>;
};

/**
 * Sort out the output of `git ls-tree -r -z -l`. Throws SourceError for links and submodules (their targets are outside
 * of what was fetched and checked), names that are not UTF-8, and too much of anything.
 */
export function parseTree(listing: Uint8Array): TreeContent {
  const records = decodeManifest('The list of files', listing).split('\0').slice(0, -1);
  if (records.length > MAX_SOURCE_ENTRIES) throw tooMuch(`more than ${MAX_SOURCE_ENTRIES} files`);
  const entries = records.map(parseRecord).filter((entry) => entry !== undefined);
  const manifests = entries.filter(({ path }) => isManifestPath(path));
  const budget = new SourceBudget();
  for (const { path, sizeBytes } of manifests) budget.add(path, sizeBytes);
  const archives = entries.filter(({ path }) => isImageArchivePath(path));
  const images = [...archives, ...[...layoutsOf(entries).values()].flat()];
  const tooLarge = images.find(({ sizeBytes }) => sizeBytes > MAX_SOURCE_IMAGE_BYTES);
  if (tooLarge !== undefined) throw tooMuch(`${tooLarge.path} has ${tooLarge.sizeBytes} bytes`);
  return { manifests: manifests.sort(byPath), archives, layouts: layoutsOf(entries) };
}

function byPath(one: TreeEntry, other: TreeEntry): number {
  return one.path < other.path ? -1 : 1;
}

/** git-ls-tree(1): `<mode> SP <type> SP <object> SP <object size, padded> TAB <path>`. */
function parseRecord(record: string): TreeEntry | undefined {
  const match = /^(?<mode>\d{6}) (?<type>[a-z]+) (?<object>[0-9a-f]{40,64}) +(?<size>\d+|-)\t(?<path>[^]+)$/.exec(
    record,
  );
  if (match?.groups === undefined) throw new SourceError('SOURCE_INVALID', `git listed '${record}'`);
  const { mode, object = '', size = '', path = '' } = match.groups;
  if (path.split('/').some((part) => part === '' || part === '..')) {
    throw new SourceError('SOURCE_INVALID', `'${path}' is no path`);
  }
  if (isHidden(path)) return undefined;
  if (mode === '120000')
    throw new SourceError('SOURCE_INVALID', `${path} is a symbolic link; a Git source takes files only`);
  if (mode === '160000')
    throw new SourceError('SOURCE_INVALID', `${path} is a submodule; a Git source takes files only`);
  return { path, object, sizeBytes: Number(size) };
}

function layoutsOf(entries: readonly TreeEntry[]): Map<string, TreeEntry[]> {
  const markers = entries.flatMap(({ path }) => /^(images\/.+)\/oci-layout$/.exec(path)?.[1] ?? []);
  return new Map(
    markers.map((directory) => [directory, entries.filter(({ path }) => path.startsWith(`${directory}/`))]),
  );
}

/** Split the output of `git cat-file --batch` into the content of each object. Throws SourceError when it breaks off. */
export function parseBatch(output: Buffer, objects: readonly string[]): Buffer[] {
  let offset = 0;
  return objects.map((object) => {
    const end = output.indexOf('\n', offset);
    const [name, type, size] = output.toString('latin1', offset, Math.max(end, offset)).split(' ');
    const start = end + 1;
    const length = Number(size);
    if (end === -1 || name !== object || type !== 'blob' || start + length >= output.length) {
      throw new SourceError('SOURCE_IO', `git has no content for the object ${object}`);
    }
    offset = start + length + 1;
    return output.subarray(start, start + length);
  });
}
