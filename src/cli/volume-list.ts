// Named volumes as commands show them.
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Host } from '../oci/host.ts';
import { listVolumes, volumePath, volumeUsers, type VolumeName } from '../oci/volume/volume-store.ts';

/** One volume. This is also what `-o json` prints: names stay. */
export type VolumeView = VolumeName & {
  /** Where it lies on this machine. */
  readonly path: string;
  /** Containers that have it mounted: `pod/container`. */
  readonly usedBy: readonly string[];
};

const BLOCK_BYTES = 512;

/** Every named volume, by namespace and name. */
export function volumeViews(host: Host): VolumeView[] {
  const users = volumeUsers(host);
  return listVolumes(host.paths.root).map((volume) => ({
    ...volume,
    path: volumePath(host.paths.root, volume),
    usedBy: users(volume),
  }));
}

/** `[NAMESPACE/]NAME`; without a namespace it is `default`. */
export function parseVolumeName(word: string): VolumeName {
  const slash = word.indexOf('/');
  return slash === -1
    ? { namespace: 'default', name: word }
    : { namespace: word.slice(0, slash), name: word.slice(slash + 1) };
}

/** Bytes of the disk that a tree takes, a file with several names once. What goes away meanwhile does not count. */
export function diskBytes(path: string, seen: Set<number> = new Set()): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || seen.has(stat.ino)) return 0;
  if (stat.nlink > 1 && !stat.isDirectory()) seen.add(stat.ino);
  const own = stat.blocks * BLOCK_BYTES;
  if (!stat.isDirectory()) return own;
  return readdirSync(path).reduce((sum, name) => sum + diskBytes(join(path, name), seen), own);
}
