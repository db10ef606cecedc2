// Waiting for the end of a container that this process need not have started.
import { setTimeout as sleep } from 'node:timers/promises';

import { pidfdOpen } from '../../linux/pidfd.ts';
import { readable } from '../../linux/poll.ts';
import { isAbandoned, readState, type ContainerState } from './state.ts';

/** The monitor writes the exit file right after the process ended: look again after this time. */
const SETTLE_MS = 2;

export type WaitOptions = { readonly signal?: AbortSignal; readonly keepAlive?: boolean };

/**
 * Resolves when the container has stopped (or will never start), with its last state; undefined when it was deleted meanwhile. Costs one
 * descriptor and no time while it waits. Rejects with the reason of `signal`.
 */
export async function waitContainer(
  stateDirectory: string,
  id: string,
  options: WaitOptions = {},
): Promise<ContainerState | undefined> {
  for (;;) {
    const state = readState(stateDirectory, id);
    if (state === undefined || state.status === 'stopped' || isAbandoned(stateDirectory, state)) return state;
    using pidfd = state.pid === 0 ? undefined : pidfdOpen(state.pid);
    // Between the open and this second look the number cannot have become another process's: the monitor has not reaped it.
    if (pidfd !== undefined && readState(stateDirectory, id)?.pid === state.pid) await readable(pidfd.number, options);
    await sleep(SETTLE_MS, undefined, {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ref: options.keepAlive ?? true,
    });
  }
}
