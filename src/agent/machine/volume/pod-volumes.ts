// The config volumes of a pod on this machine, and a note of what they hold.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isErrno } from '../../../linux/errno.ts';
import type { Host } from '../../../oci/host.ts';
import { makeMemoryDirectory } from '../../../oci/pod/memory-directory.ts';
import { podPaths } from '../../../oci/pod/pod-paths.ts';
import type { DesiredPod } from '../../../reconcile/effects.ts';
import { configFiles } from '../../../spec/config-files.ts';
import { findConfig } from '../find-config.ts';
import { writeConfigVolume } from './config-volume.ts';
import { giveToGroup } from './volume-owner.ts';

const NOTE = 'volumes.hash';

/** The directory of the pod's volumes that are not on a disk, made where there is none. */
export function memoryVolumes(host: Host, uid: string): string {
  return makeMemoryDirectory(host.paths, uid);
}

/** Make every config volume of the pod hold what it is to hold now, and note that. Containers that run see it at once. */
export function writePodVolumes(host: Host, pod: DesiredPod): void {
  if (pod.volumes === undefined) return;
  const directory = memoryVolumes(host, pod.uid);
  for (const volume of pod.spec.volumes) {
    if (volume.kind !== 'config') continue;
    const files = configFiles(volume, findConfig(pod, volume.source));
    writeConfigVolume(join(directory, volume.name), files, pod.spec.fsGroup?.gid);
  }
  const note = notePath(host, pod.uid);
  writeFileSync(`${note}.new`, pod.volumes, { mode: 0o600 });
  renameSync(`${note}.new`, note);
}

/** `DesiredPod.volumes` of the last `writePodVolumes`; undefined where there was none. */
export function writtenVolumes(host: Host, uid: string): string | undefined {
  try {
    return readFileSync(notePath(host, uid), 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Give a volume to the pod's fsGroup, once in the life of the pod: what the containers make of it later is theirs. */
export function giveOnce(
  host: Host,
  pod: DesiredPod,
  { name, path }: { readonly name: string; readonly path: string },
): void {
  const { fsGroup } = pod.spec;
  if (fsGroup === undefined) return;
  const note = join(podPaths(host.paths, pod.uid).run, `given-${name}`);
  if (existsSync(note) && readFileSync(note, 'utf8') === String(fsGroup.gid)) return;
  giveToGroup(path, fsGroup);
  writeFileSync(note, String(fsGroup.gid), { mode: 0o600 });
}

function notePath(host: Host, uid: string): string {
  return join(podPaths(host.paths, uid).run, NOTE);
}
