// Everything that runs under one state directory, taken down: what an operator does before uninstalling. Images stay.
import { openCgroup } from '../../linux/cgroup/cgroup.ts';
import type { Host } from '../host.ts';
import { removeNetwork } from '../network/remove-network.ts';
import { deleteContainer } from '../runtime/delete.ts';
import { listStates } from '../runtime/state.ts';
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
  const last = await Promise.allSettled([
    removeNetwork(host.networkPlan),
    openCgroup(host.runtime.cgroups, host.paths.cgroupParent).remove(),
  ]);
  const failed = [...pods, ...containers, ...last].find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
