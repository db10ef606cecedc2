// The end of a container: cgroup and state go. Its writable layer belongs to whoever made it.
import { rmSync } from 'node:fs';

import { openCgroup } from '../../linux/cgroup/cgroup.ts';
import { OciError, isOciError } from '../error.ts';
import { readConfig } from './read-config.ts';
import { containerDirectory } from './record.ts';
import type { Runtime } from './runtime.ts';
import { requireState } from './state.ts';
import { stopContainer } from './signal-container.ts';

/**
 * Delete a stopped (or created) container; with `force` a running one is killed first. Throws OciError CONTAINER_UNKNOWN,
 * or CONTAINER_STATE when it runs.
 */
export async function deleteContainer(
  runtime: Runtime,
  id: string,
  { force }: { readonly force: boolean },
): Promise<void> {
  const state = requireState(runtime.stateDirectory, id);
  if (state.status === 'running' && !force) {
    throw new OciError('CONTAINER_STATE', `Cannot delete container '${id}': it is running; stop it first, or force`);
  }
  if (state.status !== 'stopped') await stopContainer(runtime, id, { graceMs: 0 });
  const config = state.record.poststop === true ? readConfig(runtime, id) : undefined;
  const cgroup = openCgroup(runtime.cgroups, state.record.cgroupPath);
  if (state.record.sharesPids === true) cgroup.kill();
  if (state.record.unit !== undefined) await stopUnit(runtime, state.record.unit);
  await cgroup.remove();
  if (state.record.sharedMounts !== undefined) {
    const { takeMountsBack } = await import('./shared-mounts.ts');
    takeMountsBack(state.record.sharedMounts);
  }
  rmSync(containerDirectory(runtime.stateDirectory, id), { recursive: true, force: true });
  if (config === undefined) return;
  const { runPoststopHooks } = await import('./hooks.ts');
  await runPoststopHooks(runtime, { id, bundle: state.record.bundle, config, pid: 0 });
}

/** A unit goes when its cgroup is empty, also where nobody can be told to stop it. */
async function stopUnit({ warn }: Runtime, unit: string): Promise<void> {
  const { stopSystemdUnit } = await import('./systemd/systemd-cgroup.ts');
  try {
    await stopSystemdUnit(unit);
  } catch (error) {
    if (!isOciError(error, 'SYSTEMD_FAILED')) throw error;
    warn(error.message);
  }
}
