// The volumes of a pod, and the mounts of a container that come of them.
import { chmodSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import type { Host } from '../../../oci/host.ts';
import { OciError } from '../../../oci/error.ts';
import { podPaths } from '../../../oci/pod/pod-paths.ts';
import type { Mount } from '../../../oci/runtime/config.ts';
import { ensureVolume } from '../../../oci/volume/volume-store.ts';
import type { DesiredContainer, DesiredPod } from '../../../reconcile/effects.ts';
import { expandVariables } from '../../../spec/expand-variables.ts';
import type { Volume, VolumeMount } from '../../../spec/model.ts';
import { relativePathProblem } from '../../../spec/schema/paths.ts';
import { configDirectory } from './config-volume.ts';
import { hostPath } from './host-path.ts';
import { giveOnce, memoryVolumes, writePodVolumes } from './pod-volumes.ts';
import { makeBelow } from './sub-path.ts';

const EMPTY_DIR_MODE = 0o777;

export type MountingContainer = {
  readonly container: DesiredContainer;
  /** For the `$(VAR)` of subPathExpr. */
  readonly environment: ReadonlyMap<string, string>;
};

/**
 * The mounts of one container. Makes what it may make: emptyDir directories, `…OrCreate` host paths, the files of ConfigMaps
 * and Secrets. Throws OciError VOLUME_UNAVAILABLE where a host path is not what its type says, CONFIG_INVALID on a bad subPath.
 */
export function volumeMounts(host: Host, pod: DesiredPod, { container, environment }: MountingContainer): Mount[] {
  writePodVolumes(host, pod);
  return container.spec.volumeMounts.map((mount) => {
    const volume = pod.spec.volumes.find(({ name }) => name === mount.volume);
    if (volume === undefined) throw new OciError('CONFIG_INVALID', `Pod '${pod.name}' has no volume '${mount.volume}'`);
    const root = volumeSource(host, pod, volume);
    const subPath = subPathOf(mount, environment);
    const source = volume.kind === 'config' && subPath !== undefined ? configDirectory(root) : root;
    if (subPath !== undefined) makeBelow(source, subPath);
    const readOnly = mount.readOnly || isReadOnly(volume);
    return {
      destination: mount.mountPath,
      type: 'bind',
      source,
      ...(subPath === undefined ? {} : { subPath }),
      options: ['rbind', propagationOf(mount), ...(readOnly ? [readOnlyOf(mount)] : [])],
    };
  });
}

function subPathOf(
  { subPath, subPathExpr }: VolumeMount,
  environment: ReadonlyMap<string, string>,
): string | undefined {
  if (subPathExpr === undefined) return subPath;
  const expanded = expandVariables(subPathExpr, environment);
  const missing = /\$\([^)]*\)/.exec(expanded)?.[0];
  const problem = missing === undefined ? relativePathProblem(expanded) : `there is no variable for ${missing}`;
  if (problem === undefined) return expanded;
  throw new OciError('CONFIG_INVALID', `Cannot use subPathExpr '${subPathExpr}': ${problem}`);
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
  if (volume.kind === 'hostPath') return hostPath(volume.path, volume.type);
  if (volume.kind === 'config') return join(memoryVolumes(host, pod.uid), volume.name);
  const path = volume.kind === 'claim' ? claimPath(host, pod, volume.claim) : emptyDir(emptyDirPath(host, pod, volume));
  giveOnce(host, pod, { name: volume.name, path });
  return path;
}

function claimPath(host: Host, { namespace }: DesiredPod, name: string): string {
  return ensureVolume(host.paths.root, { namespace, name });
}

function emptyDirPath(
  host: Host,
  { uid }: DesiredPod,
  { medium, name }: Extract<Volume, { kind: 'emptyDir' }>,
): string {
  return join(
    medium === 'Memory' ? memoryVolumes(host, uid) : join(podPaths(host.paths, uid).durable, 'volumes'),
    name,
  );
}

/** Made beside its place: it is there with its permissions or not at all, and what containers make of them is theirs. */
function emptyDir(path: string): string {
  if (existsSync(path)) return path;
  const fresh = `${path}.new`;
  mkdirSync(fresh, { recursive: true, mode: 0o755 });
  chmodSync(fresh, EMPTY_DIR_MODE);
  renameSync(fresh, path);
  return path;
}
