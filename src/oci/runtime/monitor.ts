// The monitor of a container as its parent sees it: spawned, heard on the status pipe, and reaped at its end.
//
//   agent                      monitor                    container's first process
//     │── posix_spawn ───────────▶│── clone3 ────────────────▶│
//     │◀── {0, pid} ──────────────│                           │ …mounts, identity…
//     │◀── {operation, -errno} ───┼───────────────────────────│ on failure; or
//     │◀── {0, 0} ────────────────┼───────────────────────────│ waits for start (create); or
//     │◀── end of the pipe ───────┼───────────────────────────│ execve has closed it
import { closeSync } from 'node:fs';

import { pipe } from '../../linux/pipe.ts';
import { pidfdOpen, reap } from '../../linux/pidfd.ts';
import type { ExitStatus } from '../../linux/siginfo.ts';
import { readable } from '../../linux/poll.ts';
import type { AssembledTape } from '../../linux/tape/assemble.ts';
import { parseRecords, type TapeRecord } from '../../linux/tape/failure.ts';
import { exitCode, readToEnd } from '../../linux/tape/run.ts';
import type { SpawnOptions } from '../../linux/tape/spawn.ts';
import { measurePhase, type PhaseListener } from '../start-phase.ts';
import type { Parent } from './monitor-operations.ts';
import type { Rendezvous } from './rendezvous.ts';
import type { SeccompHandout } from './seccomp-listener.ts';
import type { Spawner } from './spawner.ts';

/** What the monitor's process is called, followed by the id of its container. */
export const MONITOR_NAME = 'berth-monitor';

export type Monitor = {
  /** The container's first process in the host's pid namespace. */
  readonly pid: number;
  /**
   * Resolves when the child of this process has ended and was reaped, with how it ended: the container's first process where it
   * has no monitor; else the monitor, and then the exit file is whole, unless the monitor was killed.
   */
  readonly ended: Promise<ExitStatus | undefined>;
  /** Stop listening, so that this process may end before the container does. `ended` resolves at once. */
  readonly release: () => void;
};

export type StartOutcome =
  | { readonly kind: 'ready' }
  /** What was done while the tape waited failed. */
  | { readonly kind: 'refused'; readonly error: unknown }
  | Extract<TapeRecord, { kind: 'failed' }>
  | { readonly kind: 'lost' };

export type StartOptions = {
  readonly id: string;
  readonly fds: NonNullable<SpawnOptions['fds']>;
  readonly parent: Parent;
  /** The container's bounding set, as a mask. */
  readonly bounding: bigint;
  /** What is done where the tape waits for its hooks. When it rejects, the tape ends. */
  readonly whenWaiting?: ((pid: number) => Promise<void>) | undefined;
  /** For a seccomp filter that asks somebody. */
  readonly handout?: SeccompHandout | undefined;
  readonly onPhase?: PhaseListener;
};

/** Spawn the monitor and hear what becomes of the container: the program runs (or waits for start), or a call failed. */
export async function startMonitor(
  spawner: Spawner,
  tape: AssembledTape,
  { id, fds, parent, bounding, whenWaiting, handout, onPhase = () => undefined }: StartOptions,
): Promise<{ monitor: Monitor; outcome: StartOutcome }> {
  const { read, write } = pipe();
  using status = read;
  using rendezvous = whenWaiting === undefined ? undefined : await rendezvousFor(whenWaiting);
  let monitorPid: number;
  try {
    using _spawn = measurePhase('spawn', onPhase);
    const all = [...fds, ...(rendezvous?.fds ?? []), ...(handout?.fds ?? [])];
    monitorPid = await spawner.spawn(tape, { argv: [MONITOR_NAME, id], status: write.number, fds: all }, bounding);
  } finally {
    closeSync(write.release());
  }
  const listening = new AbortController();
  const monitorEnded = parent === 'monitor' ? reaped(monitorPid, listening.signal) : undefined;
  const mount = measurePhase('mount', onPhase);
  const met = (await rendezvous?.meet(status.number)) ?? Buffer.alloc(0);
  const early = (await handout?.meet(status.number, met)) ?? met;
  const records = parseRecords(Buffer.concat([early, await readToEnd(status.number)]));
  mount[Symbol.dispose]();
  const started = records.find((record) => record.kind === 'started' && record.pid > 0);
  const failed = records.find((record) => record.kind === 'failed');
  const outcome: StartOutcome =
    failed ?? rendezvous?.refusal ?? handout?.refusal ?? (started === undefined ? { kind: 'lost' } : { kind: 'ready' });
  const pid = started?.kind === 'started' ? started.pid : 0;
  if (monitorEnded === undefined) await exitCode(monitorPid); // it has nothing left to do
  const ended = monitorEnded ?? reaped(pid, listening.signal);
  return { monitor: { pid, ended, release: () => listening.abort() }, outcome };
}

/** Wait for the end of a child and reap it. */
async function reaped(pid: number, signal: AbortSignal): Promise<ExitStatus | undefined> {
  using pidfd = pid === 0 ? undefined : pidfdOpen(pid);
  if (pidfd === undefined) return undefined;
  try {
    await readable(pidfd.number, { signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
  return reap(pidfd.number);
}

/** Few containers wait in the middle: what meets them is loaded then. */
async function rendezvousFor(whenWaiting: NonNullable<StartOptions['whenWaiting']>): Promise<Rendezvous> {
  const { Rendezvous: Meeting } = await import('./rendezvous.ts');
  return new Meeting(whenWaiting);
}
