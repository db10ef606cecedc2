// A layer worth interrupting, and processes of their own that unpack it.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import type { UnpackMode } from '../../src/oci/image/unpack-mode.ts';
import { tarBytes } from '../oci/image/tar-bytes.ts';
import { layerOf, type TestLayer } from './layer-scene.ts';

const PROCESS = fileURLToPath(new URL('unpack-process.ts', import.meta.url));

/** Many small files and a few large ones. */
export const tar: Buffer = tarBytes([
  ...Array.from({ length: 3000 }, (_, index) => ({
    name: `d${index % 50}/f${index}`,
    body: `file ${index}`,
    mtime: index,
  })),
  ...Array.from({ length: 20 }, (_, index) => ({
    name: `large/${index}`,
    body: Buffer.alloc(1 << 20, index),
    mode: 0o755,
  })),
]);
export const layer: TestLayer = layerOf(tar);

export type Child = ChildProcessByStdio<null, Readable, Readable>;

export type ProcessOptions = {
  readonly mode: 'all' | 'half' | 'settle';
  readonly unpack: UnpackMode;
  /** A command to run it by. */
  readonly wrapper?: readonly string[];
};

/** Run unpack-process.ts on the layer. */
export function unpackProcess(root: string, blob: string, { mode, unpack, wrapper = [] }: ProcessOptions): Child {
  const [command, ...args] = [...wrapper, process.execPath, PROCESS, root, blob, layer.diffID, mode, unpack];
  return spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What the process printed at its end. */
export async function result(child: Child): Promise<unknown> {
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Names in the directory of layers, without those of the locks and of the layer. */
export function leftovers(root: string): string[] {
  return readdirSync(join(root, 'layers')).filter((name) => name !== '.locks' && name !== layer.diffID.slice(7));
}
