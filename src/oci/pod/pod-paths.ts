// Where a pod's files lie. Names in paths are uids and ids that berth made itself (SEC-18).
import { join } from 'node:path';

import type { HostPaths } from '../host.ts';

export type PodPaths = {
  /** Durable: writable layers, volumes, logs. */
  readonly durable: string;
  /** Gone at reboot: the record, pinned namespaces, /etc files. */
  readonly run: string;
};

const UID = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** The directories of a pod. Throws RangeError on a uid that berth would not make. */
export function podPaths(paths: HostPaths, uid: string): PodPaths {
  if (!UID.test(uid)) throw new RangeError(`'${uid}' is not a pod's uid`);
  return { durable: join(paths.root, 'pods', uid), run: join(paths.state, 'pods', uid) };
}

/** The writable layer of one container: overlay's upper and work directories. */
export function writableLayer(
  paths: PodPaths,
  containerId: string,
): { readonly directory: string; readonly upper: string; readonly work: string } {
  const directory = join(paths.durable, 'containers', containerId);
  return { directory, upper: join(directory, 'upper'), work: join(directory, 'work') };
}

/** The log file of the n-th run of a container. */
export function logFile(paths: PodPaths, container: string, restarts: number): string {
  return join(paths.durable, 'logs', container, `${restarts}.log`);
}
