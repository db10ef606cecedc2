// Run a process in a running container: `berth exec`, probes.
import { setImmediate as afterOtherWork } from 'node:timers/promises';

import { openCgroup } from '../../linux/cgroup/cgroup.ts';
import { memberEntry } from '../../linux/cgroup/member-entry.ts';
import type { CgroupEntry } from '../../linux/cgroup/place.ts';
import type { Fd } from '../../linux/fd.ts';
import { pidfdOpen, pidfdSendSignal } from '../../linux/pidfd.ts';
import { pipe } from '../../linux/pipe.ts';
import { readable } from '../../linux/poll.ts';
import { SIGINFO_SIZE, parseSiginfo, type ExitStatus } from '../../linux/siginfo.ts';
import { assemble } from '../../linux/tape/assemble.ts';
import { RECORD_SIZE, parseRecords, tapeError } from '../../linux/tape/failure.ts';
import { hostArchitecture } from '../../linux/tape/machine-code.ts';
import type { AssembledTape } from '../../linux/tape/assemble.ts';
import type { Tape } from '../../linux/tape/operation.ts';
import { exitCode, readSome } from '../../linux/tape/run.ts';
import { OciError } from '../error.ts';
import type { Process } from './config.ts';
import { managesCgroup } from './cgroup-owner.ts';
import { PIDFD, execTape } from './exec-tape.ts';
import type { Launch as CallerWishes } from './launch.ts';
import { hasOwnMounts } from './namespaces-of.ts';
import { containerDirectory } from './record.ts';
import { readConfig } from './read-config.ts';
import { privilegesOf } from './privileges.ts';
import type { Runtime } from './runtime.ts';
import { seccompFacts } from './seccomp-facts.ts';
import type { SeccompHandout } from './seccomp-listener.ts';
import { readState, requireState, type ContainerState } from './state.ts';
import { streamsFor } from './streams.ts';

export type ExecRequest = {
  readonly id: string;
  /** What it says of a terminal does not count. */
  readonly process: Process;
  /** Descriptors to become 0, 1 and 2. */
  readonly stdio: readonly [number, number, number];
  /** When it aborts, the process is killed. */
  readonly signal?: AbortSignal | undefined;
};

/** With a terminal of the container, of the size that `process.consoleSize` says. */
export type TerminalExecRequest = Omit<ExecRequest, 'stdio'>;

/** A process that runs in a terminal. When the caller closes `terminal`, it hangs up. */
export type TerminalExec = { readonly terminal: Fd; readonly ended: Promise<ExitStatus> };

const SIGKILL = 9;

/**
 * Run a process in the container and wait for its end. Rejects with OciError CONTAINER_STATE when the container does not run,
 * START_FAILED when the program could not be executed, or the reason of `signal` after the process was killed.
 */
export async function execInContainer(runtime: Runtime, request: ExecRequest): Promise<ExitStatus> {
  const fds = streamsFor(runtime, request.stdio);
  const process = { ...request.process, terminal: false };
  return endOf(await launch(runtime, { ...request, process, fds }));
}

/**
 * Run a process in the container, in a terminal of its own. Resolves when the terminal is there; `ended` says how it ended.
 * Rejects, as `ended` does later, with what `execInContainer` rejects with.
 */
export async function execInTerminal(runtime: Runtime, request: TerminalExecRequest): Promise<TerminalExec> {
  const { TerminalChannel } = await import('./terminal.ts');
  using channel = new TerminalChannel('handed-out');
  const process = { ...request.process, terminal: true };
  const ended = endOf(await launch(runtime, { ...request, process, fds: channel.fds }));
  ended.catch(() => undefined); // whoever has the result hears of it, maybe later
  channel.spawned();
  const terminal = await channel.arrived();
  if (terminal !== undefined) return { terminal, ended };
  await ended;
  throw new OciError('START_FAILED', `Cannot run a process in container '${request.id}': it made no terminal`);
}

type Launch = TerminalExecRequest & { readonly fds: readonly (readonly [from: number, to: number])[] };
type Launched = Launch & {
  readonly tape: AssembledTape;
  readonly status: Fd;
  readonly monitorPid: number;
  readonly handout: SeccompHandout | undefined;
};

async function launch(runtime: Runtime, request: Launch): Promise<Launched> {
  const { id, fds } = request;
  const state = requireState(runtime.stateDirectory, id);
  using pidfd = state.pid === 0 ? undefined : pidfdOpen(state.pid);
  using root = await rootForExec(runtime, state);
  if (pidfd === undefined || readState(runtime.stateDirectory, id)?.status !== 'running') {
    throw new OciError('CONTAINER_STATE', `Cannot run a process in container '${id}': it is ${state.status}`);
  }
  const entry = openCgroup(runtime.cgroups, state.record.cgroupPath);
  const { wanted } = privilegesOf(runtime, readConfig(runtime, id), request.process);
  const tape = assemble(execTapeIn(runtime, { id, process: request.process, entry }), hostArchitecture());
  await afterOtherWork();
  const { read: status, write } = pipe();
  using _write = write;
  using reading = new DisposableStack();
  reading.use(status);
  const handout = await openExecHandout(runtime, state);
  if (handout !== undefined) reading.use(handout);
  const given = [...fds, [pidfd.number, PIDFD] as const, ...root.fds, ...(handout?.fds ?? [])];
  const options = { argv: ['berth-exec', id], status: write.number, fds: given };
  const monitorPid = await runtime.spawner.spawn(tape, options, wanted);
  reading.move();
  return { ...request, tape, status, monitorPid, handout };
}

async function endOf({ id, signal, tape, status, monitorPid, handout }: Launched): Promise<ExitStatus> {
  using _status = status;
  using _handout = handout;
  const early = (await handout?.meet(status.number, Buffer.alloc(0))) ?? Buffer.alloc(0);
  const bytes = await readUntilEnd(status.number, early, signal);
  await exitCode(monitorPid);
  signal?.throwIfAborted();
  const exit = statusOf(tape, bytes, id);
  if (handout?.refusal !== undefined) throw handout.refusal.error;
  return exit;
}

/** Whoever is asked about calls of the container is asked about those of the process too, at a descriptor of its own; few are. */
export async function openExecHandout(
  runtime: Runtime,
  { record, pid }: ContainerState,
): Promise<SeccompHandout | undefined> {
  const { id, bundle } = record;
  const config = readConfig(runtime, id);
  if (!config.linux?.seccomp?.listenerPath) return undefined;
  const { openSeccompHandout } = await import('./seccomp-listener.ts');
  return openSeccompHandout(config.linux?.seccomp, { subject: { id, bundle, config, pid }, status: 'running' });
}

type ExecTapeRequest = {
  readonly id: string;
  readonly process: Process;
  readonly entry: CgroupEntry;
  readonly launch?: CallerWishes | undefined;
};

/** The tape of a process in a container, with the seccomp filter that the container has. */
export function execTapeIn(runtime: Runtime, { id, process, entry, launch }: ExecTapeRequest): Tape {
  const config = readConfig(runtime, id);
  const { tasksFiles, bornIn } = managesCgroup(config)
    ? memberEntry(runtime.cgroups, entry, requireState(runtime.stateDirectory, id).pid)
    : entry;
  return execTape({
    process,
    cgroupTasks: tasksFiles,
    cgroupDirectory: bornIn,
    launch,
    facts: {
      ...seccompFacts(runtime, config.linux?.seccomp, containerDirectory(runtime.stateDirectory, id)),
      ...privilegesOf(runtime, config, process).facts,
    },
    linux: config.linux ?? {},
    labels: runtime.labels,
    sharedRoot: !hasOwnMounts(config),
  });
}

/** Descriptors for the tape, to be opened before the container is seen to run: [ours, theirs]. */
type Opened = Disposable & { readonly fds: readonly (readonly [from: number, to: number])[] };
const NOTHING: Opened = { fds: [], [Symbol.dispose]: () => undefined };

/** Few containers have a root that their namespaces do not lead to. */
export async function rootForExec(runtime: Runtime, { pid, record }: ContainerState): Promise<Opened> {
  if (pid === 0 || hasOwnMounts(readConfig(runtime, record.id))) return NOTHING;
  const { openRootOf } = await import('./shared-mounts.ts');
  return openRootOf(pid);
}

/** Read the status pipe to its end. On abort the process, whose pid came first, is killed, and reading goes on. */
async function readUntilEnd(fd: number, early: Buffer, signal: AbortSignal | undefined): Promise<Buffer> {
  let bytes = early;
  const kill = (): void => killStarted(bytes);
  try {
    for (;;) {
      const chunk = readSome(fd);
      if (chunk === undefined) await readable(fd);
      else if (chunk.length === 0) return bytes;
      else bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < RECORD_SIZE || signal === undefined) continue;
      if (signal.aborted) kill();
      else signal.addEventListener('abort', kill, { once: true });
    }
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

/** The pid is safe to use: its parent, which reaps it, has not written its end yet. */
function killStarted(bytes: Buffer): void {
  const started = parseRecords(bytes.subarray(0, RECORD_SIZE)).find((record) => record.kind === 'started');
  if (started === undefined || bytes.length >= RECORD_SIZE + SIGINFO_SIZE) return;
  using pidfd = pidfdOpen(started.pid);
  if (pidfd !== undefined) pidfdSendSignal(pidfd.number, SIGKILL);
}

function statusOf(tape: AssembledTape, bytes: Buffer, id: string): ExitStatus {
  const failed = parseRecords(bytes.subarray(0, 2 * RECORD_SIZE)).find(
    (record) => record.kind === 'failed' && tape.operations.has(record.address),
  );
  if (failed?.kind === 'failed') {
    const error = tapeError(tape, failed);
    throw new OciError('START_FAILED', `Cannot run a process in container '${id}': ${error.message}`, { cause: error });
  }
  const status =
    bytes.length >= RECORD_SIZE + SIGINFO_SIZE ? parseSiginfo(bytes.subarray(bytes.length - SIGINFO_SIZE)) : undefined;
  if (status === undefined)
    throw new OciError('START_FAILED', `Cannot run a process in container '${id}': its monitor was killed`);
  return status;
}
