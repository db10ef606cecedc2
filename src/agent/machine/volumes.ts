// The volumes of a pod, and the mounts of a container that come of them.
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';

import { mkdirat, O_DIRECTORY, O_PATH, openat } from '../../linux/at.ts';
import { isErrno } from '../../linux/errno.ts';
import { AT_FDCWD } from '../../linux/mount-flags.ts';
import { openat2, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS } from '../../linux/openat2.ts';
import type { Host } from '../../oci/host.ts';
import { OciError } from '../../oci/error.ts';
import { podPaths } from '../../oci/pod/pod-paths.ts';
import type { Mount } from '../../oci/runtime/config.ts';
import type { DesiredContainer, DesiredPod } from '../../reconcile/effects.ts';
import { findConfig } from './find-config.ts';
import { configFiles } from '../../spec/config-files.ts';
import type { HostPathType, Volume, VolumeMount } from '../../spec/model.ts';

const EMPTY_DIR_MODE = 0o777;

/**
 * The mounts of one container. Makes what it may make: emptyDir directories, `…OrCreate` host paths, the files of ConfigMaps
 * and Secrets. Throws OciError VOLUME_UNAVAILABLE where a host path is not what its type says, CONFIG_INVALID on a bad subPath.
 */
export function volumeMounts(host: Host, pod: DesiredPod, container: DesiredContainer): Mount[] {
  return container.spec.volumeMounts.map((mount) => {
    const volume = pod.spec.volumes.find(({ name }) => name === mount.volume);
    if (volume === undefined) throw new OciError('CONFIG_INVALID', `Pod '${pod.name}' has no volume '${mount.volume}'`);
    const source = volumeSource(host, pod, volume);
    if (mount.subPath !== undefined) makeBelow(source, mount.subPath);
    const readOnly = mount.readOnly || volume.kind === 'config';
    return {
      destination: mount.mountPath,
      type: 'bind',
      source,
      ...(mount.subPath === undefined ? {} : { subPath: mount.subPath }),
      options: ['rbind', propagationOf(mount), ...(readOnly ? [readOnlyOf(mount)] : [])],
    };
  });
}

function propagationOf({ mountPropagation }: VolumeMount): string {
  if (mountPropagation === undefined) return 'rprivate';
  return mountPropagation === 'HostToContainer' ? 'rslave' : 'rshared';
}

function readOnlyOf({ recursiveReadOnly }: VolumeMount): string {
  return recursiveReadOnly === 'Disabled' ? 'ro' : 'rro';
}

/** Make the missing directories of a subPath. No link on the way is followed: a container may have made it. */
function makeBelow(volume: string, subPath: string): void {
  const names = subPath.split('/').filter((name) => name !== '' && name !== '.');
  let directory = openat(AT_FDCWD, volume, O_PATH | O_DIRECTORY);
  try {
    for (const name of names) {
      try {
        mkdirat(directory.number, name, 0o755);
      } catch (error) {
        if (!isErrno(error, 'EEXIST')) throw error;
      }
      const below = openat2(directory.number, name, { flags: O_PATH, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS });
      directory[Symbol.dispose]();
      directory = below;
    }
  } catch (error) {
    throw new OciError('CONFIG_INVALID', `Cannot use subPath '${subPath}': ${String(error)}`, { cause: error });
  } finally {
    directory[Symbol.dispose]();
  }
}

function volumeSource(host: Host, pod: DesiredPod, volume: Volume): string {
  const paths = podPaths(host.paths, pod.uid);
  switch (volume.kind) {
    case 'emptyDir':
      return emptyDir(join(volume.medium === 'Memory' ? paths.run : paths.durable, 'volumes', volume.name));
    case 'hostPath':
      return hostPath(volume.path, volume.type);
    case 'config':
      return writeConfigVolume(join(paths.run, 'volumes', volume.name), pod, volume);
  }
}

function emptyDir(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  chmodSync(path, EMPTY_DIR_MODE);
  return path;
}

/** Write the files of a ConfigMap or Secret, below the state directory: on an ordinary system that is memory, not a disk. */
function writeConfigVolume(directory: string, pod: DesiredPod, volume: Extract<Volume, { kind: 'config' }>): string {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  for (const { path, bytes, mode } of configFiles(volume, findConfig(pod, volume.source))) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, bytes, { flag: 'wx', mode });
    chmodSync(file, mode);
  }
  return directory;
}

const KINDS: Readonly<
  Record<Exclude<HostPathType, ''>, { readonly is: (stat: Stats) => boolean; readonly name: string }>
> = {
  Directory: { is: (stat) => stat.isDirectory(), name: 'a directory' },
  DirectoryOrCreate: { is: (stat) => stat.isDirectory(), name: 'a directory' },
  File: { is: (stat) => stat.isFile(), name: 'a file' },
  FileOrCreate: { is: (stat) => stat.isFile(), name: 'a file' },
  Socket: { is: (stat) => stat.isSocket(), name: 'a socket' },
  CharDevice: { is: (stat) => stat.isCharacterDevice(), name: 'a character device' },
  BlockDevice: { is: (stat) => stat.isBlockDevice(), name: 'a block device' },
};

function hostPath(path: string, type: HostPathType): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined && type === 'DirectoryOrCreate') mkdirSync(path, { recursive: true, mode: 0o755 });
  if (found === undefined && type === 'FileOrCreate') writeFileSync(path, '', { flag: 'wx', mode: 0o644 });
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new OciError(
      'VOLUME_UNAVAILABLE',
      `hostPath '${path}' does not exist on this machine; type DirectoryOrCreate would make it`,
    );
  if (type !== '' && !KINDS[type].is(stat))
    throw new OciError(
      'VOLUME_UNAVAILABLE',
      `hostPath '${path}' is not ${KINDS[type].name}, as its type '${type}' says`,
    );
  return path;
}
