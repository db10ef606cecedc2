// The state of a container as runtime.md has it, with runc's additions: what `state` and `list` print.
import { resolve } from 'node:path';

import { openProcesses } from '../../linux/cgroup/cgroup-processes.ts';
import { readConfig } from '../../oci/runtime/read-config.ts';
import type { RuntimePlace } from '../../oci/runtime/runtime.ts';
import type { ContainerState } from '../../oci/runtime/state.ts';

export type StateDocument = {
  readonly ociVersion: string;
  readonly id: string;
  /** 0 when it has stopped. */
  readonly pid: number;
  readonly status: 'creating' | 'created' | 'running' | 'paused' | 'stopped';
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner: string;
};

/** `owner` is filled by `list` alone, as with runc. */
export function stateDocument(
  runtime: RuntimePlace,
  { record, status, pid }: ContainerState,
  owner = '',
): StateDocument {
  const { ociVersion, id, bundle, annotations, createdAt } = record;
  const paused = status !== 'stopped' && openProcesses(runtime.cgroups, record.cgroupPath).frozen();
  return {
    ociVersion,
    id,
    pid,
    status: paused ? 'paused' : status,
    bundle,
    rootfs: resolve(bundle, readConfig(runtime, id).root.path),
    created: new Date(createdAt).toISOString(),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    owner,
  };
}
