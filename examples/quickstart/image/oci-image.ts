// An OCI image made by hand, to show how little one is: layers (tar), a config, a manifest, an index; every piece named by
// its sha256 digest. https://github.com/opencontainers/image-spec
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import { tarArchive, type ImageFile } from './tar.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

export type ImageOptions = {
  /** What manifests name it by, such as `localhost/server:1`. */
  readonly reference: string;
  /** Lowest layer first. */
  readonly layers: readonly (readonly ImageFile[])[];
  /** The image config's `config`: Entrypoint, Cmd, Env, User, WorkingDir, … */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly compression?: Compression;
  /** As in GOARCH. Default: this machine's. */
  readonly architecture?: string;
};

/** The files of an OCI layout: path inside it → content. */
export type Layout = ReadonlyMap<string, Buffer>;

type Descriptor = { readonly mediaType: string; readonly digest: string; readonly size: number };

const OCI = 'application/vnd.oci.image';
const LAYER_TYPE: Readonly<Record<Compression, string>> = {
  none: `${OCI}.layer.v1.tar`,
  gzip: `${OCI}.layer.v1.tar+gzip`,
  zstd: `${OCI}.layer.v1.tar+zstd`,
};
const COMPRESS: Readonly<Record<Compression, (tar: Buffer) => Buffer>> = {
  none: (tar) => tar,
  gzip: (tar) => gzipSync(tar, { level: 1 }),
  zstd: (tar) => zstdCompressSync(tar),
};
const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'amd64' };

/** An OCI layout that holds one image. */
export function imageLayout({ reference, layers, config = {}, ...options }: ImageOptions): Layout {
  const files = new Map<string, Buffer>();
  const add = (mediaType: string, content: Buffer): Descriptor => {
    const digest = sha256(content);
    files.set(`blobs/sha256/${digest.slice('sha256:'.length)}`, content);
    return { mediaType, digest, size: content.length };
  };
  const compression = options.compression ?? 'zstd';
  const tars = layers.map(tarArchive);
  const imageConfig = {
    architecture: options.architecture ?? ARCHITECTURE[process.arch] ?? process.arch,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: tars.map(sha256) },
  };
  const manifest = add(
    `${OCI}.manifest.v1+json`,
    json({
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: add(`${OCI}.config.v1+json`, json(imageConfig)),
      layers: tars.map((tar) => add(LAYER_TYPE[compression], COMPRESS[compression](tar))),
    }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': reference, 'io.containerd.image.name': reference };
  const index = { schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests: [{ ...manifest, annotations }] };
  return new Map([['oci-layout', json({ imageLayoutVersion: '1.0.0' })], ['index.json', json(index)], ...files]);
}

/** The layout as one file: what `skopeo copy … oci-archive:` writes, and what berth imports from a source's `images/`. */
export function layoutArchive(layout: Layout): Buffer {
  return tarArchive([...layout].map(([path, content]) => ({ path, content })));
}

/** The layout as a directory. */
export function writeLayout(layout: Layout, directory: string): void {
  for (const [path, content] of layout) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
