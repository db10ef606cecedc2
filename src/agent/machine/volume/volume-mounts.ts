// The volumes of a pod, and the mounts of a container that come of them.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Host } from '../../../oci/host.ts';
import { OciError } from '../../../oci/error.ts';
import { podPaths } from '../../../oci/pod/pod-paths.ts';
import type { Mount } from '../../../oci/runtime/config.ts';
import { ensureVolume } from '../../../oci/volume/volume-store.ts';
import type { DesiredContainer, DesiredPod } from '../../../reconcile/effects.ts';
import type { Volume, VolumeMount } from '../../../spec/model.ts';
import { configDirectory } from './config-volume.ts';
import { hostPath } from './host-path.ts';
import { memoryVolumes, writePodVolumes } from './pod-volumes.ts';
import { makeBelow } from './sub-path.ts';

const EMPTY_DIR_MODE = 0o777;

/**
 * The mounts of one container. Makes what it may make: emptyDir directories, `…OrCreate` host paths, the files of ConfigMaps
 * and Secrets. Throws OciError VOLUME_UNAVAILABLE where a host path is not what its type says, CONFIG_INVALID on a bad subPath.
 */
export function volumeMounts(host: Host, pod: DesiredPod, container: DesiredContainer): Mount[] {
  writePodVolumes(host, pod);
  return container.spec.volumeMounts.map((mount) => {
    const volume = pod.spec.volumes.find(({ name }) => name === mount.volume);
    if (volume === undefined) throw new OciError('CONFIG_INVALID', `Pod '${pod.name}' has no volume '${mount.volume}'`);
    const root = volumeSource(host, pod, volume);
    const source = volume.kind === 'config' && mount.subPath !== undefined ? configDirectory(root) : root;
    if (mount.subPath !== undefined) makeBelow(source, mount.subPath);
    const readOnly = mount.readOnly || isReadOnly(volume);
    return {
      destination: mount.mountPath,
      type: 'bind',
      source,
      ...(mount.subPath === undefined ? {} : { subPath: mount.subPath }),
      options: ['rbind', propagationOf(mount), ...(readOnly ? [readOnlyOf(mount)] : [])],
    };
  });
}

function isReadOnly(volume: Volume): boolean {
  return volume.kind === 'config' || (volume.kind === 'claim' && volume.readOnly);
}

function propagationOf({ mountPropagation }: VolumeMount): string {
  if (mountPropagation === undefined) return 'rprivate';
  return mountPropagation === 'HostToContainer' ? 'rslave' : 'rshared';
}

function readOnlyOf({ recursiveReadOnly }: VolumeMount): string {
  return recursiveReadOnly === 'Disabled' ? 'ro' : 'rro';
}

function volumeSource(host: Host, pod: DesiredPod, volume: Volume): string {
  switch (volume.kind) {
    case 'emptyDir':
      return emptyDir(
        join(
          volume.medium === 'Memory'
            ? memoryVolumes(host, pod.uid)
            : join(podPaths(host.paths, pod.uid).durable, 'volumes'),
          volume.name,
        ),
      );
    case 'hostPath':
      return hostPath(volume.path, volume.type);
    case 'claim':
      return ensureVolume(host.paths.root, { namespace: pod.namespace, name: volume.claim });
    case 'config':
      return join(memoryVolumes(host, pod.uid), volume.name);
  }
}

function emptyDir(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  chmodSync(path, EMPTY_DIR_MODE);
  return path;
}
