// An image of the size of a real one, made of this machine's own files: about 11,000 of them, 223 MB, 80 MB compressed.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { imageLayout, type Layout } from '../../examples/quickstart/image/oci-image.ts';
import { tarArchive, type ImageFile } from '../../examples/quickstart/image/tar.ts';

const DIRECTORIES = ['/usr/bin', '/usr/lib', '/usr/sbin', '/usr/share'];
const FILES = 11_219;
const BYTES = 223_000_000;
/** Two blocks of zeros end a tar. */
const END_BYTES = 1024;
const LARGEST = 8_000_000;

export type LargeImage = {
  readonly files: number;
  readonly bytes: number;
  /** The compressed layer, but for its last file. */
  readonly blob: Buffer;
  /**
   * The image with a last file of its own, and so with a layer of its own: who has another one can use nothing of it. All have
   * the same to do.
   */
  readonly variant: (name: string) => Layout;
};

/** One gzip layer. What is in it depends on the machine; the counts say how near it came. */
export function largeImage(): LargeImage {
  const chosen = chooseFiles();
  const files = chosen.map(({ path, link }): ImageFile =>
    link === undefined
      ? { path, content: readFileSync(path), mode: lstatSync(path).mode & 0o777 }
      : { path, linkTo: link },
  );
  const tar = tarArchive(files).subarray(0, -END_BYTES);
  const blob = gzipSync(tar, { level: 1 });
  const hash = createHash('sha256').update(tar);
  const variant = (name: string): Layout => {
    // What the specification calls a multi-member file: gzip(1) and all engines read on.
    const last = tarArchive([{ path: 'variant', content: name }]);
    const diffID = `sha256:${hash.copy().update(last).digest('hex')}`;
    return layerLayout(name, diffID, Buffer.concat([blob, gzipSync(last)]));
  };
  return { files: chosen.length, bytes: chosen.reduce((sum, { size }) => sum + size, 0), blob, variant };
}

/** An OCI layout of one layer that is compressed already. */
function layerLayout(reference: string, diffID: string, layer: Buffer): Layout {
  const template = imageLayout({ reference, layers: [[]], compression: 'gzip', config: { Cmd: ['/usr/bin/true'] } });
  const document = (path: string): Buffer => template.get(path) ?? Buffer.alloc(0);
  const files = new Map<string, Buffer>([['oci-layout', document('oci-layout')]]);
  const add = (content: Buffer): { readonly digest: string; readonly size: number } => {
    const digest = createHash('sha256').update(content).digest('hex');
    files.set(`blobs/sha256/${digest}`, content);
    return { digest: `sha256:${digest}`, size: content.length };
  };
  const blobOf = (digest: string): Buffer => document(`blobs/sha256/${digest.slice('sha256:'.length)}`);
  const index = change(document('index.json'), (value) => {
    const manifests = value.manifests.map((entry) => {
      const manifest = change(blobOf(entry.digest), (old) => {
        const config = change(blobOf(old.config.digest), (given) => ({
          ...given,
          rootfs: { type: 'layers', diff_ids: [diffID] },
        }));
        return { ...old, config: { ...old.config, ...add(config) }, layers: [{ ...old.layers[0], ...add(layer) }] };
      });
      return { ...entry, ...add(manifest) };
    });
    return { ...value, manifests };
  });
  return files.set('index.json', index);
}

function change(document: Buffer, replace: (value: OciDocument) => object): Buffer {
  return Buffer.from(JSON.stringify(replace(JSON.parse(document.toString('utf8')) as OciDocument)));
}

type Named = { readonly digest: string };
/** What is read of an index, a manifest. */
type OciDocument = { readonly manifests: readonly Named[]; readonly config: Named; readonly layers: readonly Named[] };

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
