// What a container sees of an image: its layers as lower directories of an overlay, and a fresh upper directory that makes
// up for what single layers cannot say.
import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs';

import { cString, utimensat } from '../../linux/at.ts';
import { AT_FDCWD } from '../../linux/mount-flags.ts';
import { lgetxattr, llistxattr, lsetxattr } from '../../linux/xattr.ts';
import type { LayerImage } from './erofs/erofs-layers.ts';
import { impliedCopies, type NodeLookup } from './implied-directories.ts';
import type { LayerSummary } from './layer-output.ts';
import { isImageXattr, OVERLAY_OPAQUE } from './whiteout.ts';

export type SnapshotLayer = {
  /** Where this process sees what is in the layer. */
  readonly directory: string;
  /** What to mount to make an overlay of it; undefined: nothing, `directory` itself can be a lower directory. */
  readonly image?: LayerImage | undefined;
  readonly summary: Pick<LayerSummary, 'implied' | 'opaqueRoot'>;
};

/** Where layers come from: the layer store. */
export type SnapshotSource = {
  /** Throws OciError LAYER_MISSING. */
  layer(diffID: string): SnapshotLayer;
};

/**
 * The layers to stack, uppermost first, of an image's diffIDs (lowest first, as the image has them). A layer that occurs
 * twice (empty ones do) stays where it is uppermost: overlayfs refuses it twice, and the lower one adds nothing. Layers
 * below one that hides everything are left out. Throws OciError LAYER_MISSING.
 */
export function snapshotLayers(source: SnapshotSource, diffIDs: readonly string[]): SnapshotLayer[] {
  const layers: SnapshotLayer[] = [];
  for (const diffID of new Set(diffIDs.toReversed())) {
    const layer = source.layer(diffID);
    layers.push(layer);
    if (layer.summary.opaqueRoot) break;
  }
  return layers;
}

/**
 * Give the empty directory `upper` what the layers (uppermost first) need of it: the attributes of the image's root, which
 * overlayfs takes from the upper directory, and copies of directories that a layer only implied, see
 * implied-directories.ts. Throws SyscallError, or what `node:fs` throws.
 */
export function prepareUpper(upper: string, layers: readonly SnapshotLayer[]): void {
  const implied = layers.map(({ summary }) => summary.implied);
  const copies = impliedCopies(implied, lookupIn(layers));
  for (const { path } of copies) mkdirSync(below(upper, path));
  // From the deepest up, because to make a directory changes the time of the one above.
  for (const { path, layer } of copies.toReversed()) {
    const directory = layers[layer]?.directory;
    if (directory !== undefined) copyAttributes(below(directory, path), below(upper, path));
  }
  const root = layers.find(({ summary }) => !summary.implied.includes(''));
  if (root !== undefined) copyAttributes(below(root.directory, ''), below(upper, ''));
}

function lookupIn(layers: readonly SnapshotLayer[]): NodeLookup {
  return (layer, path) => {
    const directory = layers[layer]?.directory;
    if (directory === undefined) return 'missing';
    const name = below(directory, path);
    const found = lstatSync(name, { throwIfNoEntry: false });
    if (found === undefined) return 'missing';
    if (!found.isDirectory()) return 'other';
    return lgetxattr(terminated(name), OVERLAY_OPAQUE)?.toString() === 'y' ? 'opaque' : 'directory';
  };
}

function copyAttributes(from: Buffer, to: Buffer): void {
  const { uid, gid, mode, mtimeNs } = lstatSync(from, { bigint: true });
  chownSync(to, Number(uid), Number(gid));
  chmodSync(to, Number(mode) & 0o7777);
  for (const name of llistxattr(terminated(from)).filter(isImageXattr)) {
    const value = lgetxattr(terminated(from), name);
    if (value !== undefined) lsetxattr(terminated(to), name, value);
  }
  const nanoseconds = Number(((mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  utimensat(AT_FDCWD, terminated(to), {
    seconds: Number((mtimeNs - BigInt(nanoseconds)) / 1_000_000_000n),
    nanoseconds,
  });
}

/** A path below a directory; names in layers are bytes, held as latin1. */
function below(directory: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')]);
}

function terminated(path: Buffer): Buffer {
  return cString(path.toString('latin1'));
}
