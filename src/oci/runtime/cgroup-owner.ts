// Who owns a container's cgroup (config-linux.md, "Cgroup ownership").
import type { Cgroup } from '../../linux/cgroup/cgroup.ts';
import type { IdMapping, RuntimeConfig } from './config.ts';

const MOUNT_POINT = '/sys/fs/cgroup';

/** Whether the container sees its cgroup in a namespace of its own and may write to it. */
export function managesCgroup({ mounts, linux }: Pick<RuntimeConfig, 'mounts' | 'linux'>): boolean {
  const ownView = (linux?.namespaces ?? []).some(({ type, path }) => type === 'cgroup' && !path);
  const mount = (mounts ?? []).find(({ destination, source }) => destination === MOUNT_POINT && source === 'cgroup');
  return ownView && mount !== undefined && mount.options?.includes('ro') !== true;
}

/**
 * The user of the host that the cgroup is to be given to: the one that the process is outside, when the container sees its cgroup
 * in a namespace of its own and may write to it. Undefined: it stays root's.
 */
export function cgroupOwner(config: RuntimeConfig): number | undefined {
  if (!managesCgroup(config)) return undefined;
  const { namespaces, uidMappings } = config.linux ?? {};
  const uid = config.process?.user.uid ?? 0;
  const owner = (namespaces ?? []).some(({ type }) => type === 'user') ? outside(uid, uidMappings ?? []) : uid;
  return owner === 0 ? undefined : owner;
}

/**
 * Give the cgroup to its owner. To be done when the first process is in it: the clone into the cgroup is done by root inside the
 * container's user namespace, who would not be let in any more. Throws what chown(2) throws.
 */
export function giveCgroup(cgroup: Cgroup, config: RuntimeConfig): void {
  const owner = cgroupOwner(config);
  if (owner !== undefined) cgroup.delegate(owner);
}

function outside(uid: number, mappings: readonly IdMapping[]): number | undefined {
  const mapping = mappings.find(({ containerID, size }) => uid >= containerID && uid < containerID + size);
  return mapping === undefined ? undefined : mapping.hostID + uid - mapping.containerID;
}
