// What the machine and the container's files say about its mounts: everything that mount-facts.ts asks for.
import { existsSync } from 'node:fs';

import type { Hierarchy } from '../../linux/cgroup/layout.ts';
import { placeIn } from '../../linux/cgroup/place.ts';
import { cgroupMounts } from './cgroup-mount-operations.ts';
import type { RuntimeConfig } from './config.ts';
import type { MountFacts } from './mount-facts.ts';
import { hasNamespace } from './namespaces-of.ts';
import { mountsToPrepare } from './prepare-mounts.ts';
import { directoryMode } from './rootfs-mode.ts';
import type { Rootfs } from './rootfs-operations.ts';
import type { Runtime } from './runtime.ts';

export type MountSubject = {
  readonly config: RuntimeConfig;
  readonly rootfs: Rootfs;
  /** The container's cgroup, as a path from the top of each hierarchy. */
  readonly cgroupPath: string;
  /** The container's own, in the state directory. */
  readonly directory: string;
};

/** Reads of the file system only what a mount asks for. */
export function gatherMountFacts(runtime: Runtime, subject: MountSubject): MountFacts {
  const { config, rootfs, cgroupPath, directory } = subject;
  const ownPart = (hierarchy: Hierarchy): string => partOf(hierarchy, cgroupPath);
  return {
    kindOf: runtime.kindOf,
    modeOf: (path) => directoryMode(rootfs, path),
    cgroupMounts: cgroupMounts(runtime.cgroups, hasNamespace(config, 'cgroup') ? undefined : ownPart),
    stage: directory,
    selinux: runtime.labels.selinux,
    prepared: mountsToPrepare(config),
  };
}

/** A hierarchy that the container did not join shows where the runtime itself is in it. */
function partOf(hierarchy: Hierarchy, cgroupPath: string): string {
  const { directory } = placeIn(hierarchy, cgroupPath);
  return existsSync(directory) ? directory : placeIn(hierarchy, hierarchy.self).directory;
}
