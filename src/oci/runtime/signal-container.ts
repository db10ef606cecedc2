// Signals to a container: to its first process by pidfd, or to all of its processes through its cgroup.
import { openProcesses } from '../../linux/cgroup/cgroup-processes.ts';
import { pidfdOpen, pidfdSendSignal } from '../../linux/pidfd.ts';
import { OciError } from '../error.ts';
import type { RuntimePlace } from './runtime.ts';
import { readState, requireState } from './state.ts';
import { waitContainer } from './wait.ts';

const SIGKILL = 9;

/** Send `signal` to the first process. Throws OciError CONTAINER_UNKNOWN, or CONTAINER_STATE when it does not run. */
export function killContainer(runtime: RuntimePlace, id: string, signal: number): void {
  const state = requireState(runtime.stateDirectory, id);
  using pidfd = state.pid === 0 ? undefined : pidfdOpen(state.pid);
  const same = pidfd !== undefined && readState(runtime.stateDirectory, id)?.pid === state.pid;
  if (!same || !pidfdSendSignal(pidfd.number, signal)) {
    throw new OciError('CONTAINER_STATE', `Cannot signal container '${id}': container not running`);
  }
}

/** SIGKILL to every process in the container's cgroup. Fine when there is none. */
export function killAll(runtime: RuntimePlace, id: string): void {
  const { record } = requireState(runtime.stateDirectory, id);
  openProcesses(runtime.cgroups, record.cgroupPath).kill();
}

/**
 * As `killContainer`. A process that is frozen on v1 does not die before it is thawed, so SIGKILL thaws it: of cgroup2 the kernel
 * does that itself.
 */
export async function signalContainer(runtime: RuntimePlace, id: string, signal: number): Promise<void> {
  killContainer(runtime, id, signal);
  if (signal !== SIGKILL) return;
  const cgroup = openProcesses(runtime.cgroups, requireState(runtime.stateDirectory, id).record.cgroupPath);
  if (!cgroup.diesFrozen && cgroup.frozen()) await cgroup.thaw();
}

/** Send a signal to every process in the container's cgroup. Fine when there is none. Throws OciError CONTAINER_UNKNOWN. */
export function signalAll(runtime: RuntimePlace, id: string, signal: number): void {
  if (signal === SIGKILL) {
    killAll(runtime, id);
    return;
  }
  const { record } = requireState(runtime.stateDirectory, id);
  for (const pid of openProcesses(runtime.cgroups, record.cgroupPath).procs()) {
    using pidfd = pidfdOpen(pid);
    if (pidfd !== undefined) pidfdSendSignal(pidfd.number, signal);
  }
}

/**
 * Ask a container to end with its stop signal, and kill it when it still runs after `graceMs`. Resolves when it has
 * stopped. When `signal` aborts during the grace, it rejects and the container is left as it is.
 */
export async function stopContainer(
  runtime: RuntimePlace,
  id: string,
  { graceMs, signal }: { readonly graceMs: number; readonly signal?: AbortSignal },
): Promise<void> {
  const state = requireState(runtime.stateDirectory, id);
  if (state.status === 'stopped') return;
  if (graceMs > 0 && state.status === 'running') {
    try {
      killContainer(runtime, id, state.record.stopSignal);
    } catch (error) {
      if (!(error instanceof OciError && error.code === 'CONTAINER_STATE')) throw error;
    }
    if (await endsWithin(runtime, id, graceMs, signal)) return;
  }
  killFirst(runtime, id);
  killAll(runtime, id);
  await waitContainer(runtime.stateDirectory, id, signal === undefined ? {} : { signal });
}

function killFirst(runtime: RuntimePlace, id: string): void {
  try {
    killContainer(runtime, id, SIGKILL);
  } catch (error) {
    if (!(error instanceof OciError && error.code === 'CONTAINER_STATE')) throw error;
  }
}

async function endsWithin(
  runtime: RuntimePlace,
  id: string,
  graceMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const timeout = AbortSignal.timeout(graceMs);
  const either = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  try {
    await waitContainer(runtime.stateDirectory, id, { signal: either });
    return true;
  } catch (error) {
    if (signal?.aborted === true || !timeout.aborted) throw error;
    return false;
  }
}
