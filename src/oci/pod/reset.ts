// Everything that runs under one state directory, taken down: what an operator does before uninstalling. Images stay.
import { rm } from 'node:fs/promises';

import { openCgroup } from '../../linux/cgroup/cgroup.ts';
import type { Host } from '../host.ts';
import { removeNetwork } from '../network/remove-network.ts';
import { deleteContainer } from '../runtime/delete.ts';
import { containerDirectory, readRecord } from '../runtime/record.ts';
import { containerIds, listStates } from '../runtime/state.ts';
import { removePod } from './remove.ts';
import { sandboxUids } from './sandbox.ts';

/**
 * Stop and remove every pod and container, the network and the parent cgroup. Idempotent. Rejects with the first failure after
 * trying everything.
 */
export async function resetHost(host: Host, { graceMs }: { readonly graceMs: number }): Promise<void> {
  const pods = await Promise.allSettled(sandboxUids(host).map((uid) => removePod(host, uid, { graceMs })));
  const rest = listStates(host.paths.state).map(({ record }) =>
    deleteContainer(host.runtime, record.id, { force: true }),
  );
  const containers = await Promise.allSettled(rest);
  const remains = await Promise.allSettled(containerIds(host.paths.state).map((id) => removeRemains(host, id)));
  const last = await Promise.allSettled([
    removeNetwork(host.networkPlan),
    openCgroup(host.runtime.cgroups, host.paths.cgroupParent).remove(),
  ]);
  const failed = [...pods, ...containers, ...remains, ...last].find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** The directory of a container that a crash kept from being made: it has no record, or only a part of one. */
async function removeRemains(host: Host, id: string): Promise<void> {
  const directory = containerDirectory(host.paths.state, id);
  if (readRecord(directory) === undefined) await rm(directory, { recursive: true, force: true });
}
