// An image of the size of a real one, made of this machine's own files: about 11,000 of them, 223 MB, 80 MB compressed.
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

import { imageLayout, type Layout } from '../../examples/quickstart/image/oci-image.ts';
import type { ImageFile } from '../../examples/quickstart/image/tar.ts';

const DIRECTORIES = ['/usr/bin', '/usr/lib', '/usr/sbin', '/usr/share'];
const FILES = 11_219;
const BYTES = 223_000_000;
const LARGEST = 8_000_000;

export type LargeImage = { readonly layout: Layout; readonly files: number; readonly bytes: number };

/** One gzip layer. What is in it depends on the machine; the counts say how near it came. */
export function largeImage(reference: string): LargeImage {
  const chosen = chooseFiles();
  const files = chosen.map(({ path, link }): ImageFile =>
    link === undefined
      ? { path, content: readFileSync(path), mode: lstatSync(path).mode & 0o777 }
      : { path, linkTo: link },
  );
  const layout = imageLayout({ reference, layers: [files], compression: 'gzip', config: { Cmd: ['/usr/bin/true'] } });
  return { layout, files: chosen.length, bytes: chosen.reduce((sum, { size }) => sum + size, 0) };
}

type Chosen = { readonly path: string; readonly size: number; readonly link: string | undefined };

/** In the order of names; a file is left out while those taken are larger on average than they shall be. */
function chooseFiles(): Chosen[] {
  const chosen: Chosen[] = [];
  let bytes = 0;
  for (const file of DIRECTORIES.flatMap((directory) => [...walk(directory)])) {
    if (chosen.length === FILES) break;
    if (bytes + file.size > ((chosen.length + 1) * BYTES) / FILES + LARGEST) continue;
    if (bytes + file.size > BYTES) continue;
    chosen.push(file);
    bytes += file.size;
  }
  return chosen;
}

function* walk(directory: string): Iterable<Chosen> {
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    const stat = lstatSync(path);
    if (Buffer.byteLength(path) > 150) continue; // ustar
    if (stat.isDirectory()) yield* walk(path);
    else if (stat.isSymbolicLink()) {
      const link = readlinkSync(path);
      if (Buffer.byteLength(link) <= 100) yield { path, size: 0, link };
    } else if (stat.isFile() && stat.size <= LARGEST) yield { path, size: stat.size, link: undefined };
  }
}
