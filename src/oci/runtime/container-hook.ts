// Run a hook in a container's namespaces: createContainer, startContainer.
import { closeSync } from 'node:fs';

import type { Cgroup } from '../../linux/cgroup/cgroup.ts';
import { memoryFile } from '../../linux/memory-file.ts';
import { pidfdOpen, pidfdSendSignal } from '../../linux/pidfd.ts';
import { pipe } from '../../linux/pipe.ts';
import { readable } from '../../linux/poll.ts';
import { SIGINFO_SIZE, parseSiginfo } from '../../linux/siginfo.ts';
import { assemble, type AssembledTape } from '../../linux/tape/assemble.ts';
import { RECORD_SIZE, parseRecords, tapeError } from '../../linux/tape/failure.ts';
import { hostArchitecture } from '../../linux/tape/machine-code.ts';
import type { Operation } from '../../linux/tape/operation.ts';
import { exitCode, readSome } from '../../linux/tape/run.ts';
import type { HookRun } from './host-hook.ts';
import { HookOutput, hookFailure } from './hook-output.ts';
import { HOOK_PIDFD, hookTape } from './hook-tape.ts';
import { openRootOf } from './shared-mounts.ts';
import type { Runtime } from './runtime.ts';

export type HookPlace = {
  readonly pid: number;
  readonly cgroup: Cgroup;
  readonly user: boolean;
  readonly identity: readonly Operation[];
  /** The bounding set that `identity` begins with, as a mask. */
  readonly bounding: bigint;
  /** The container has no mount namespace of its own. */
  readonly sharedRoot: boolean;
};

const SIGKILL = 9;

/** Run it to its end. Rejects with an Error that says how it failed. The process `place.pid` waits meanwhile. */
export async function runContainerHook(runtime: Runtime, run: HookRun, place: HookPlace): Promise<void> {
  const { hook, state, cwd } = run;
  const { cgroup, user, identity, sharedRoot } = place;
  const cgroupFiles = cgroup.bornIn === undefined ? cgroup.tasksFiles : [`${cgroup.bornIn}/cgroup.procs`];
  const tape = assemble(hookTape({ hook, cwd, cgroupFiles, user, identity, sharedRoot }), hostArchitecture());
  using input = memoryFile('hook-state', state);
  using pidfd = pidfdOpen(place.pid);
  if (pidfd === undefined) throw new Error('the container has ended');
  using root = sharedRoot ? openRootOf(place.pid) : undefined;
  const output = pipe();
  const status = pipe();
  using outputRead = output.read;
  using statusRead = status.read;
  let monitor: number;
  try {
    const out = output.write.number;
    const fds = [[input.number, 0], [out, 1], [out, 2], [pidfd.number, HOOK_PIDFD], ...(root?.fds ?? [])] as const;
    const options = { argv: ['berth-hook', hook.path], status: status.write.number, fds };
    monitor = await runtime.spawner.spawn(tape, options, place.bounding);
  } finally {
    for (const end of [output.write, status.write]) closeSync(end.release());
  }
  const printed = new HookOutput();
  const over = new AbortController();
  const collecting = collect(outputRead.number, printed, over.signal);
  const bytes = await readStatus(statusRead.number, hook.timeout);
  await exitCode(monitor);
  over.abort();
  await collecting;
  throwIfFailed(tape, bytes, printed);
}

type StatusBytes = { readonly bytes: Buffer; readonly timedOut: boolean };

/** Read the status pipe to its end; when the time (in seconds) is up, kill the hook, whose pid came first, and read on. */
async function readStatus(fd: number, timeout: number | undefined): Promise<StatusBytes> {
  const signal = timeout === undefined ? undefined : AbortSignal.timeout(timeout * 1000);
  let bytes = Buffer.alloc(0);
  let timedOut = false;
  const stop = (): void => {
    if (kill(bytes)) timedOut = true;
  };
  signal?.addEventListener('abort', stop, { once: true });
  for (;;) {
    const chunk = readSome(fd);
    if (chunk === undefined) await readable(fd);
    else if (chunk.length === 0) break;
    else bytes = Buffer.concat([bytes, chunk]);
    if (signal?.aborted === true) stop();
  }
  signal?.removeEventListener('abort', stop);
  return { bytes, timedOut };
}

/** Take what a hook prints, so that it never waits for somebody to read. What it leaves running may hold its streams. */
async function collect(fd: number, output: HookOutput, signal: AbortSignal): Promise<void> {
  for (;;) {
    const chunk = readSome(fd);
    if (chunk?.length === 0 || (chunk === undefined && signal.aborted)) return;
    if (chunk !== undefined) output.add(chunk);
    else await readable(fd, { signal }).catch(() => undefined); // aborted: whatever is there already is still read
  }
}

/** The pid is safe to use: its parent, which reaps it, has not written its end yet. */
function kill(bytes: Buffer): boolean {
  const [started] = parseRecords(bytes.subarray(0, RECORD_SIZE));
  if (started?.kind !== 'started' || bytes.length > RECORD_SIZE) return false;
  using pidfd = pidfdOpen(started.pid);
  return pidfd !== undefined && pidfdSendSignal(pidfd.number, SIGKILL);
}

function throwIfFailed(tape: AssembledTape, { bytes, timedOut }: StatusBytes, output: HookOutput): void {
  if (timedOut) throw hookFailure('timed out', output);
  const records = parseRecords(bytes.subarray(0, 2 * RECORD_SIZE));
  const failed = records.find((record) => record.kind === 'failed' && tape.operations.has(record.address));
  if (failed?.kind === 'failed') throw tapeError(tape, failed);
  const end = bytes.length < RECORD_SIZE + SIGINFO_SIZE ? undefined : parseSiginfo(bytes.subarray(RECORD_SIZE));
  if (end === undefined) throw hookFailure('it was lost', output);
  if (end.signal !== undefined) throw hookFailure(`signal ${end.signal}`, output);
  if (end.code !== 0) throw hookFailure(`exit code ${end.code}`, output);
}
