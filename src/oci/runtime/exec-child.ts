// A process in a container that is a child of this process, or of its subreaper once this one has ended: exec as runc has it, where
// no monitor stays.
import { openCgroup } from '../../linux/cgroup/cgroup.ts';
import { subCgroupEntry, type SubCgroup } from '../../linux/cgroup/sub-cgroup.ts';
import type { Fd } from '../../linux/fd.ts';
import { pidfdOpen } from '../../linux/pidfd.ts';
import { assemble } from '../../linux/tape/assemble.ts';
import { tapeError } from '../../linux/tape/failure.ts';
import { hostArchitecture } from '../../linux/tape/machine-code.ts';
import { OciError } from '../error.ts';
import type { Process } from './config.ts';
import { PIDFD } from './exec-tape.ts';
import { execTapeIn, openExecHandout, rootForExec } from './exec.ts';
import { readConfig } from './read-config.ts';
import type { Monitor } from './monitor.ts';
import { startMonitor } from './monitor.ts';
import { parkedFds } from './preserve-operations.ts';
import { privilegesOf } from './privileges.ts';
import type { Runtime } from './runtime.ts';
import { requireState, type ContainerState } from './state.ts';
import { givenStreams } from './streams.ts';
import { TerminalChannel } from './terminal.ts';
import { systemdTasks } from './systemd/systemd-tasks.ts';

export type ExecChildRequest = {
  readonly id: string;
  /** Its standard streams are those of this process, unless it has a terminal. */
  readonly process: Process;
  readonly preservedFds: readonly number[];
  /** Below the container's cgroup; empty: in it. */
  readonly cgroups: readonly SubCgroup[];
  /** Also where the container is paused: the process waits until it goes on. */
  readonly ignorePaused: boolean;
};

/** `terminal` is for the caller to close. */
export type ExecChild = Monitor & { readonly terminal: Fd | undefined };

/**
 * Start the process; its program has been executed when the promise resolves. Rejects with OciError CONTAINER_UNKNOWN, CONTAINER_STATE,
 * CONFIG_INVALID or START_FAILED, or with CgroupError.
 */
export async function execAsChild(runtime: Runtime, request: ExecChildRequest): Promise<ExecChild> {
  const { id, process, preservedFds } = request;
  const { pidfd, state } = openContainer(runtime, request);
  using _pidfd = pidfd;
  using root = await rootForExec(runtime, state);
  const { cgroupPath, unit } = state.record;
  const { tasksFiles, bornIn } = openCgroup(runtime.cgroups, cgroupPath);
  const ofUnit = unit === undefined ? [] : systemdTasks(runtime.cgroups, cgroupPath);
  const own = { tasksFiles: [...tasksFiles, ...ofUnit], bornIn };
  const entry = subCgroupEntry({ layout: runtime.cgroups, path: cgroupPath, entry: own }, request.cgroups);
  const launch = { parent: 'caller', preservedFds } as const;
  const tape = assemble(execTapeIn(runtime, { id, process, launch, entry }), hostArchitecture());
  using channel = process.terminal === true ? new TerminalChannel('handed-out') : undefined;
  using handout = await openExecHandout(runtime, state);
  const { monitor, outcome } = await startMonitor(runtime.spawner, tape, {
    id,
    parent: 'caller',
    fds: [
      ...parkedFds(preservedFds),
      ...(channel?.fds ?? givenStreams(runtime, readConfig(runtime, id), process)),
      [pidfd.number, PIDFD],
      ...root.fds,
    ],
    bounding: privilegesOf(runtime, readConfig(runtime, id), process).wanted,
    handout,
  });
  if (outcome.kind === 'ready') return { ...monitor, terminal: channel?.receive() };
  await monitor.ended;
  if (outcome.kind === 'refused') throw outcome.error;
  const cause = outcome.kind === 'failed' ? tapeError(tape, outcome) : undefined;
  const reason = cause?.message ?? 'it was killed on the way';
  throw new OciError('START_FAILED', `Cannot run a process in container '${id}': ${reason}`, { cause });
}

/** The container's first process, opened first and then looked at, so that it is the same. */
function openContainer(
  runtime: Runtime,
  { id, ignorePaused }: ExecChildRequest,
): { readonly pidfd: Fd; readonly state: ContainerState } {
  const state = requireState(runtime.stateDirectory, id);
  const { pid, record } = state;
  const pidfd = pid === 0 ? undefined : pidfdOpen(pid);
  const { status } = requireState(runtime.stateDirectory, id);
  const refuse = (why: string): OciError => {
    pidfd?.[Symbol.dispose]();
    return new OciError('CONTAINER_STATE', `Cannot run a process in container '${id}': ${why}`);
  };
  if (pidfd === undefined || status === 'stopped') throw refuse('cannot exec in a stopped container');
  if (!ignorePaused && openCgroup(runtime.cgroups, record.cgroupPath).frozen())
    throw refuse('cannot exec in a paused container (use --ignore-paused to override)');
  return { pidfd, state };
}
