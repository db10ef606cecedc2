// Named volumes: directories below `<root>/volumes/<namespace>/<name>` that outlive every pod. Nothing removes one but
// `berth volume rm` and `berth volume prune`.
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';

import { directoryNames } from '../../linux/directory-names.ts';
import { isErrno } from '../../linux/errno.ts';
import { lock } from '../../linux/flock.ts';
import { OciError } from '../error.ts';
import type { Host } from '../host.ts';
import { identityOf } from '../pod/labels.ts';
import type { RuntimeConfig } from '../runtime/config.ts';
import { containerDirectory } from '../runtime/record.ts';
import { listStates } from '../runtime/state.ts';

export type VolumeName = { readonly namespace: string; readonly name: string };

/** As Kubernetes' provisioners of local directories: programs run as users that nobody here knows. */
const FRESH_MODE = 0o777;
/** DNS names: no separator, no `.` at the beginning (SEC-18). What is being made or removed begins with one. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Where a volume lies. Throws RangeError on a name that a claim cannot have. */
export function volumePath(root: string, { namespace, name }: VolumeName): string {
  for (const part of [namespace, name]) {
    if (!NAME.test(part) || part.length > 253) throw new RangeError(`'${part}' cannot be in the name of a volume`);
  }
  return join(root, 'volumes', namespace, name);
}

/** A path beside a volume, for what is not a volume: no claim's name begins with a dot. */
export function besideVolume(root: string, volume: VolumeName, what: string): string {
  const path = volumePath(root, volume);
  return join(path, '..', `.${volume.name}.${what}`);
}

/** The directory of a volume, made empty where there is none. Returns its path. */
export function ensureVolume(root: string, volume: VolumeName): string {
  const path = volumePath(root, volume);
  if (existsSync(path)) return path;
  // Made beside its place: a volume is there with its permissions or not at all.
  const fresh = besideVolume(root, volume, `made-${randomUUID()}`);
  mkdirSync(fresh, { recursive: true, mode: 0o700 });
  chmodSync(fresh, FRESH_MODE);
  try {
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { recursive: true });
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  }
  return path;
}

/** Every volume, by namespace and name. */
export function listVolumes(root: string): VolumeName[] {
  const volumes = join(root, 'volumes');
  return directoryNames(volumes)
    .toSorted()
    .flatMap((namespace) =>
      directoryNames(join(volumes, namespace))
        .filter((name) => NAME.test(name))
        .toSorted()
        .map((name) => ({ namespace, name })),
    );
}

/** Whether there is such a volume. */
export function hasVolume(root: string, volume: VolumeName): boolean {
  return statSync(volumePath(root, volume), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The containers that have a volume mounted, or would have it again when they are started: `pod/container` each. */
export function volumeUsers(host: Host): (volume: VolumeName) => string[] {
  const uses = listStates(host.paths.state).flatMap(({ record }) => {
    const identity = identityOf(record.labels);
    const user = identity === undefined ? record.id : `${identity.pod}/${identity.container}`;
    return mountSources(containerDirectory(host.paths.state, record.id)).map((source) => ({ user, source }));
  });
  return (volume) => {
    const path = volumePath(host.paths.root, volume);
    const isOf = (source: string): boolean => source === path || source.startsWith(path + sep);
    return [...new Set(uses.filter(({ source }) => isOf(source)).map(({ user }) => user))];
  };
}

/** Who changes a volume as a whole holds this. */
export function lockVolume(root: string, volume: VolumeName): Promise<Disposable> {
  return lock(besideVolume(root, volume, 'lock'));
}

/** Delete a volume with all that is in it. Rejects with OciError VOLUME_MISSING, or VOLUME_IN_USE naming the containers. */
export async function removeVolume(host: Host, volume: VolumeName): Promise<void> {
  const { root } = host.paths;
  const what = `${volume.namespace}/${volume.name}`;
  if (!hasVolume(root, volume)) throw new OciError('VOLUME_MISSING', `There is no volume ${what}`);
  using _lock = await lockVolume(root, volume);
  refuseUsed(host, volume, 'remove');
  const gone = besideVolume(root, volume, `removed-${randomUUID()}`);
  renameSync(volumePath(root, volume), gone); // in one step: half a volume is never mounted
  rmSync(gone, { recursive: true });
  rmSync(besideVolume(root, volume, 'lock'), { force: true });
}

/** Throws OciError VOLUME_IN_USE where containers have the volume. */
export function refuseUsed(host: Host, volume: VolumeName, verb: string): void {
  const users = volumeUsers(host)(volume);
  if (users.length === 0) return;
  const what = `${volume.namespace}/${volume.name}`;
  throw new OciError(
    'VOLUME_IN_USE',
    `Cannot ${verb} volume ${what}: ${users.join(', ')} ${users.length === 1 ? 'has' : 'have'} it mounted`,
  );
}

function mountSources(directory: string): string[] {
  try {
    const config = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as RuntimeConfig;
    return (config.mounts ?? []).flatMap(({ source }) => (source === undefined ? [] : [source]));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
