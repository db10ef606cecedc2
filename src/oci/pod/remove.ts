// Containers and pods, taken down whole.
import { rm } from 'node:fs/promises';

import type { Host } from '../host.ts';
import { deleteContainer } from '../runtime/delete.ts';
import { stopContainer } from '../runtime/signal-container.ts';
import { listStates, readState, type ContainerState } from '../runtime/state.ts';
import { identityOf } from './labels.ts';
import { podPaths, writableLayer } from './pod-paths.ts';
import { removeSandbox } from './sandbox.ts';

/**
 * Delete a container with its writable layer; its logs stay with the pod. Idempotent. With `force` a running one is killed;
 * without, rejects with OciError CONTAINER_STATE.
 */
export async function removePodContainer(
  host: Host,
  id: string,
  { force }: { readonly force: boolean },
): Promise<void> {
  const state = readState(host.paths.state, id);
  if (state === undefined) return;
  await deleteContainer(host.runtime, id, { force });
  const uid = identityOf(state.record.labels)?.podUid;
  if (uid !== undefined)
    await rm(writableLayer(podPaths(host.paths, uid), id).directory, { recursive: true, force: true });
}

/** The containers of a pod, in the order of creation. */
export function podContainers(host: Host, uid: string): ContainerState[] {
  return listStates(host.paths.state).filter(({ record }) => identityOf(record.labels)?.podUid === uid);
}

/** Stop every container of a pod at once, then remove all there is of it. Idempotent. */
export async function removePod(host: Host, uid: string, { graceMs }: { readonly graceMs: number }): Promise<void> {
  const containers = podContainers(host, uid);
  await Promise.all(containers.map(({ record }) => stopContainer(host.runtime, record.id, { graceMs })));
  for (const { record } of containers) await removePodContainer(host, record.id, { force: true });
  await removeSandbox(host, uid);
}
