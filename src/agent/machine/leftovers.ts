// What a crash leaves half done: containers and sandboxes that were being made, writable layers and pods nobody has a record of.
import { statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { directoryNames } from '../../linux/directory-names.ts';
import type { Host } from '../../oci/host.ts';
import { identityOf } from '../../oci/pod/labels.ts';
import { podPaths } from '../../oci/pod/pod-paths.ts';
import { removePodContainer } from '../../oci/pod/remove.ts';
import { readSandbox, removeSandbox, sandboxUids } from '../../oci/pod/sandbox.ts';
import { containerDirectory, readRecord } from '../../oci/runtime/record.ts';
import { containerIds, listStates, readState } from '../../oci/runtime/state.ts';

/** Another command may be making something right now: what is younger is not touched. */
const MIN_AGE_MS = 60_000;

/**
 * Remove what an agent before this one left half made. Only one agent works on a root, so a container of a source that is
 * still being created when an agent starts is nobody's work any more. Never touches what runs.
 */
export async function removeHalfMade(host: Host): Promise<void> {
  for (const { record, status } of listStates(host.paths.state)) {
    const identity = identityOf(record.labels);
    if (status === 'creating' && identity !== undefined && identity.owner !== 'run')
      await removePodContainer(host, record.id, { force: true });
  }
  for (const id of containerIds(host.paths.state)) {
    const directory = containerDirectory(host.paths.state, id);
    if (readRecord(directory) === undefined && isOld(directory)) await rm(directory, { recursive: true, force: true });
  }
  for (const uid of sandboxUids(host)) {
    if (readSandbox(host, uid) === undefined && isOld(podPaths(host.paths, uid).run)) await removeSandbox(host, uid);
  }
  for (const uid of durableUids(host)) await removeLayersWithoutContainer(host, uid);
}

/** Remove the durable files of pods that have no sandbox: those that were removed from the source while the machine was off. */
export async function removeForgottenPods(host: Host): Promise<void> {
  for (const uid of durableUids(host)) {
    const { durable } = podPaths(host.paths, uid);
    if (readSandbox(host, uid) === undefined && isOld(durable)) await rm(durable, { recursive: true, force: true });
  }
}

async function removeLayersWithoutContainer(host: Host, uid: string): Promise<void> {
  const containers = join(podPaths(host.paths, uid).durable, 'containers');
  for (const id of directoryNames(containers)) {
    const layer = join(containers, id);
    if (readState(host.paths.state, id) === undefined && isOld(layer))
      await rm(layer, { recursive: true, force: true });
  }
}

function durableUids(host: Host): string[] {
  return directoryNames(join(host.paths.root, 'pods'));
}

function isOld(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > MIN_AGE_MS;
}
