// Where the layer store keeps things, all below `<root>/layers`. Pure.
import { join } from 'node:path';

import { parseDigest } from './digest.ts';
import { TREE_NAME } from './layer-output.ts';

const DIRECTORY_NAME = /^(?:[0-9a-f]{64}|sha512-[0-9a-f]{128})$/;
const INGEST = '.ingest-';
const REMOVED = '.remove-';

/** Short, because many layers have to fit in one option string of mount(2): sha256 goes without saying. */
export function layerName(diffID: string): string {
  const { algorithm, hex } = parseDigest(diffID);
  return algorithm === 'sha256' ? hex : `${algorithm}-${hex}`;
}

/** The inverse; undefined for names of anything else. */
export function diffIDOfName(name: string): string | undefined {
  if (!DIRECTORY_NAME.test(name)) return undefined;
  return name.startsWith('sha512-') ? name.replace('-', ':') : `sha256:${name}`;
}

export type LayerPaths = {
  /** The committed layer: `record` is in it, with `tree` or with a tar and its image. */
  readonly directory: string;
  /** What is in it, when it is extracted. */
  readonly tree: string;
  readonly record: string;
  /** The layer while it is being unpacked; only the holder of the lock may touch it. */
  readonly ingest: string;
  readonly ingestRecord: string;
  readonly lock: string;
};

/** Where the parts of one layer lie. */
export function layerPaths(layersDirectory: string, diffID: string): LayerPaths {
  const name = layerName(diffID);
  const directory = join(layersDirectory, name);
  const ingest = join(layersDirectory, `${INGEST}${name}`);
  return {
    directory,
    tree: join(directory, TREE_NAME),
    record: join(directory, 'layer.json'),
    ingest,
    ingestRecord: join(ingest, 'layer.json'),
    lock: join(layersDirectory, '.locks', name),
  };
}

/** The diffID that a name of an ingest directory is about. */
export function diffIDOfIngest(name: string): string | undefined {
  return name.startsWith(INGEST) ? diffIDOfName(name.slice(INGEST.length)) : undefined;
}

/** A directory on its way out: out of sight at once, gone later. */
export function removedPath(layersDirectory: string, unique: string): string {
  return join(layersDirectory, `${REMOVED}${unique}`);
}

/** Whether a name in the layers’ directory is a layer on its way out. */
export function isRemoved(name: string): boolean {
  return name.startsWith(REMOVED);
}
