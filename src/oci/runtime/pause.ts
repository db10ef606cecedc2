// Freeze and thaw a container: by cgroup.freeze on cgroup2, else by the freezer of v1.
import { openProcesses, type CgroupProcesses } from '../../linux/cgroup/cgroup-processes.ts';
import { OciError } from '../error.ts';
import type { RuntimePlace } from './runtime.ts';
import { requireState } from './state.ts';

/** Stop every process. Rejects with OciError CONTAINER_UNKNOWN, or CONTAINER_STATE when it has ended or is paused already. */
export async function pauseContainer(runtime: RuntimePlace, id: string): Promise<void> {
  const cgroup = cgroupOf(runtime, id);
  if (cgroup === undefined || cgroup.frozen())
    throw new OciError('CONTAINER_STATE', `Cannot pause container '${id}': container not running`);
  await cgroup.freeze();
}

/** Let them go on. Rejects with OciError CONTAINER_UNKNOWN, or CONTAINER_STATE when it is not paused. */
export async function resumeContainer(runtime: RuntimePlace, id: string): Promise<void> {
  const cgroup = cgroupOf(runtime, id);
  if (cgroup?.frozen() !== true)
    throw new OciError('CONTAINER_STATE', `Cannot resume container '${id}': container not paused`);
  await cgroup.thaw();
}

/** Undefined when no process of it is left. */
function cgroupOf(runtime: RuntimePlace, id: string): CgroupProcesses | undefined {
  const { status, record } = requireState(runtime.stateDirectory, id);
  return status === 'stopped' ? undefined : openProcesses(runtime.cgroups, record.cgroupPath);
}
