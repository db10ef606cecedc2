// For tests of unpacking: a directory of their own, layers made on the spot, and a tree as text to compare.
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import test, { type ExecutionContext } from 'ava';

import { cString } from '../../src/linux/at.ts';
import type { Fd } from '../../src/linux/fd.ts';
import { devMajor, devMinor } from '../../src/linux/mknod.ts';
import { processUmask } from '../../src/linux/umask.ts';
import { lgetxattr, llistxattr } from '../../src/linux/xattr.ts';
import type { UnpackMode } from '../../src/oci/image/unpack-mode.ts';
import { DirectoryOutput } from '../../src/oci/image/directory-output.ts';
import { ErofsOutput } from '../../src/oci/image/erofs/erofs-output.ts';
import { mountErofs } from '../../src/oci/image/erofs/mount.ts';
import { probeErofs } from '../../src/oci/image/erofs/probe.ts';
import { type DirectoryLayerStore, openLayerStore } from '../../src/oci/image/layer-store.ts';
import { IMAGE_NAME, type LayerSummary, TAR_NAME, TREE_NAME } from '../../src/oci/image/layer-output.ts';

/** Why tests that make devices and owners cannot run here; undefined when they can. */
export const layersUnusable: string | undefined = process.getuid?.() === 0 ? undefined : 'needs root';

export function scratchDirectory(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-layers-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export type WrittenLayer = { readonly root: string; readonly summary: LayerSummary };
/** Makes a tar's layer in a directory, on this thread. `root`: where to see what is in it. */
export type WriteLayer = (directory: string, tar: Buffer) => WrittenLayer;

/** Extract the tar's entries into `<directory>/root`. */
export const writeLayer: WriteLayer = (directory, tar) => {
  mkdirSync(directory, { recursive: true });
  using output = new DirectoryOutput(directory, processUmask());
  output.push(tar);
  return { root: join(directory, TREE_NAME), summary: output.finish() };
};

const mounts: Fd[] = [];

/** Keep the tar, make an image of it, and mount that until this process ends. */
export const writeImage: WriteLayer = (directory, tar) => {
  mkdirSync(directory, { recursive: true });
  using output = new ErofsOutput({ directory, diffID: layerOf(tar).diffID, umask: processUmask() });
  output.push(tar);
  const summary = output.finish();
  if (summary.erofs === undefined) return { root: join(directory, TREE_NAME), summary };
  const mount = mountErofs(directory, { image: IMAGE_NAME, tar: TAR_NAME });
  mounts.push(mount);
  return { root: `/proc/${process.pid}/fd/${mount.number}`, summary };
};

/** A test of what becomes of layers, once for each way to unpack that works here. */
export function eachWay(title: string, body: (t: ExecutionContext, writeLayer: WriteLayer) => void): void {
  if (layersUnusable !== undefined) return test.skip(`${title} (skipped: ${layersUnusable})`, () => undefined);
  for (const unpack of unpackModes)
    test(`${title}, ${unpack}`, (t) => body(t, unpack === 'erofs' ? writeImage : writeLayer));
}

export type TestLayer = {
  readonly diffID: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly blob: Buffer;
};

/** The gzipped layer of a tar, as an image has it. */
export function layerOf(tar: Buffer, blob: Buffer = gzipSync(tar)): TestLayer {
  const diffID = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
  return { diffID, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', sizeBytes: blob.length, blob };
}

/** Write the blob to a file, as the content store has it. */
export function blobFile(directory: string, layer: TestLayer): string {
  const path = join(directory, `blob-${layer.diffID.slice(7, 19)}`);
  writeFileSync(path, layer.blob);
  return path;
}

/** How layers can be unpacked here. */
export const unpackModes: readonly UnpackMode[] =
  layersUnusable === undefined && probeErofs(join(tmpdir(), `berth-probe-${process.pid}`)).works
    ? ['extract', 'erofs']
    : ['extract'];

/** A layer store of the test's own; background failures fail the test. */
export function openStore(t: ExecutionContext, root: string, unpack: UnpackMode = 'auto'): DirectoryLayerStore {
  const onError = (error: unknown): void => t.fail(String(error));
  const store = openLayerStore(root, { workers: { idleMs: 50 }, unpack, onError });
  t.teardown(() => store[Symbol.asyncDispose]());
  return store;
}

/** Everything below `directory`, one line each, sorted: type, mode, owner, time, what is in it, attributes, links. */
export function describeTree(directory: string): string[] {
  const links = new Map<bigint, string>();
  const lines: string[] = [];
  const visit = (path: string): void => {
    lines.push(describe(directory, path, links));
    if (!lstatSync(at(directory, path)).isDirectory()) return;
    for (const name of readdirSync(at(directory, path), 'latin1').sort()) visit(`${path}/${name}`);
  };
  visit('.');
  return lines;
}

function describe(directory: string, path: string, links: Map<bigint, string>): string {
  const name = at(directory, path);
  const found = lstatSync(name, { bigint: true });
  const parts = [path, found.mode.toString(8), `${found.uid}:${found.gid}`, found.mtimeNs.toString()];
  if (found.isFile()) parts.push(createHash('sha256').update(readFileSync(name)).digest('hex').slice(0, 16));
  if (found.isSymbolicLink()) parts.push(`-> ${readlinkSync(name, 'latin1')}`);
  if (found.isCharacterDevice() || found.isBlockDevice()) parts.push(`${devMajor(found.rdev)}:${devMinor(found.rdev)}`);
  const cName = cString(name.toString('latin1'));
  for (const attribute of llistxattr(cName).sort()) {
    parts.push(`${attribute}=${lgetxattr(cName, attribute)?.toString('hex') ?? ''}`);
  }
  if (!found.isDirectory() && found.nlink > 1n) parts.push(`is ${links.get(found.ino) ?? 'new'} (${found.nlink})`);
  if (!links.has(found.ino)) links.set(found.ino, path);
  return JSON.stringify(parts.join(' '));
}

function at(directory: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')]);
}
