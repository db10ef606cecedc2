// The stage of the tests of imports: archives made by hand, stores to import into.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import type { ExecutionContext } from 'ava';

import { isOciError, type OciErrorCode } from '../../../src/oci/error.ts';
import { openContentStore, type ContentStore } from '../../../src/oci/image/content-store.ts';
import { readIndex, REF_NAME } from '../../../src/oci/image/image-index.ts';
import { importImages } from '../../../src/oci/image/import.ts';
import { OCI_MANIFEST } from '../../../src/oci/image/media-type.ts';
import { resolveImage } from '../../../src/oci/image/resolve.ts';
import { tarEnd, tarFileHeader, tarPadding } from '../../../src/oci/image/tar-write.ts';

import { MemoryLayers } from './memory-layers.ts';
import type { SampleImage } from './sample-image.ts';

export type Files = Readonly<Record<string, Buffer | string>>;
export type Scene = { readonly directory: string; readonly store: ContentStore; readonly layers: MemoryLayers };

export function scene(t: ExecutionContext): Scene {
  const directory = mkdtempSync(join(tmpdir(), 'berth-import-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return { directory, store: openContentStore(join(directory, 'root')), layers: new MemoryLayers() };
}

export function layoutFiles(image: SampleImage, annotations: object = { [REF_NAME]: 'ghcr.io/team/app:1' }): Files {
  const entry = { mediaType: OCI_MANIFEST, digest: image.digest, size: image.manifest.length, annotations };
  return {
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    'index.json': JSON.stringify({ schemaVersion: 2, manifests: [entry] }),
    [blobName(image.digest)]: image.manifest,
    ...Object.fromEntries([...image.blobs].map(([digest, bytes]) => [blobName(digest), bytes])),
  };
}

/** As `docker save` of old: the same images without manifests, layers as plain tars. */
export function dockerFiles(image: SampleImage, tags: readonly string[] | null = ['app:1']): Files {
  const [config] = [...image.blobs].filter(([digest]) => !image.layerDigests.includes(digest));
  const layers = image.layerDigests.map((digest) => gunzipSync(image.blobs.get(digest) ?? Buffer.alloc(0)));
  const paths = layers.map((_, at) => `layer-${at}/layer.tar`);
  return {
    ...Object.fromEntries(layers.map((layer, at) => [paths[at] ?? '', layer])),
    'config.json': config?.[1] ?? '',
    'manifest.json': JSON.stringify([{ Config: 'config.json', RepoTags: tags, Layers: paths }]),
  };
}

export function blobName(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

export function writeFiles(directory: string, files: Files): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

export function tar(files: Files): Buffer {
  const parts = Object.entries(files).flatMap(([path, content]) => {
    const bytes = Buffer.from(content);
    return [tarFileHeader(path, bytes.length), bytes, tarPadding(bytes.length)];
  });
  return Buffer.concat([...parts, tarEnd()]);
}

export function imported(t: ExecutionContext, { store, layers }: Scene, image: SampleImage, reference: string): void {
  t.is(resolveImage(store, reference)?.layers.length, image.diffIDs.length);
  t.deepEqual(layers.list().toSorted(), image.diffIDs.toSorted());
  t.deepEqual(readdirSync(store.ingestDirectory), []);
}

export async function refuses(
  t: ExecutionContext,
  stage: Scene,
  path: string,
  code: OciErrorCode,
  message: RegExp,
): Promise<void> {
  const error = await t.throwsAsync(importImages(path, stage));
  t.true(isOciError(error, code), String(error));
  t.regex(error?.message ?? '', message);
  t.true(error?.message.startsWith(`Cannot import ${path}: `));
  t.deepEqual(readIndex(stage.store), []);
}
