// Images that a repository holds, as files on this machine. Named by their content: what is there is not written again.
import { createHash } from 'node:crypto';
import { access, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { TreeContent, TreeEntry } from './git-tree.ts';
import type { SourceImage } from './source.ts';

export type WriteImagesOptions = {
  /** Holds the images of this source and nothing else. */
  readonly directory: string;
  /** Writes the blob `object` to the file `path`, which is whole when it is there. */
  readonly writeBlob: (object: string, path: string) => Promise<void>;
};

/** Write every archive and layout of a tree below `directory`, and remove those of other trees. */
export async function writeImages(tree: TreeContent, options: WriteImagesOptions): Promise<SourceImage[]> {
  const archives = tree.archives.map(({ object, path }): Wanted => {
    return { name: `${object}.oci.tar`, blobs: [{ object, path }], base: path };
  });
  const layouts = [...tree.layouts].map(([base, entries]): Wanted => {
    return { name: `${digestOf(entries)}.layout`, blobs: entries, base };
  });
  const wanted = [...archives, ...layouts];
  for (const image of wanted) await writeImage(image, options);
  await removeOthers(options.directory, new Set(wanted.map(({ name }) => name)));
  return wanted.map(({ name }) => ({ path: join(options.directory, name), version: name }));
}

type Wanted = {
  readonly name: string;
  readonly blobs: readonly Pick<TreeEntry, 'object' | 'path'>[];
  /** The path in the tree that becomes `name`. */
  readonly base: string;
};

async function writeImage({ name, blobs, base }: Wanted, { directory, writeBlob }: WriteImagesOptions): Promise<void> {
  for (const { object, path } of blobs) {
    const place = join(directory, name, path.slice(base.length));
    if (!(await exists(place))) await writeBlob(object, place);
  }
}

async function removeOthers(directory: string, wanted: ReadonlySet<string>): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  const others = names.filter((name) => !wanted.has(name));
  await Promise.all(others.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}

function digestOf(entries: readonly TreeEntry[]): string {
  const text = JSON.stringify(entries.map(({ path, object }) => [path, object]));
  return createHash('sha256').update(text).digest('hex');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
