// The runtime's commands over src/oci/runtime. Each prints what runc prints.
import { writeFileSync } from 'node:fs';

import { openCgroup } from '../../linux/cgroup/cgroup.ts';
import { readCgroupLayout } from '../../linux/cgroup/layout.ts';
import type { Fd } from '../../linux/fd.ts';
import { shellExitCode } from '../../linux/siginfo.ts';
import { signalNumber } from '../../linux/signal.ts';
import { isOciError, OciError } from '../../oci/error.ts';
import { createContainer, type StartedMonitor } from '../../oci/runtime/create.ts';
import { deleteContainer } from '../../oci/runtime/delete.ts';
import { execInContainer, readConfig } from '../../oci/runtime/exec.ts';
import { openRuntime, type Runtime } from '../../oci/runtime/runtime.ts';
import { killAll, killContainer } from '../../oci/runtime/signal-container.ts';
import type { ContainerRecord } from '../../oci/runtime/record.ts';
import { startContainer } from '../../oci/runtime/start.ts';
import { listStates, readState, requireState, type ContainerState } from '../../oci/runtime/state.ts';
import { formatTable } from '../output/table.ts';
import { runTerminalSession } from '../terminal-session.ts';
import { readBundle } from './bundle.ts';
import { openConsole, sendConsole } from './console-socket.ts';
import { withHome } from './home.ts';

export type OciFlags = {
  readonly bundle: string;
  readonly pidFile?: string | undefined;
  readonly detach?: boolean | undefined;
  readonly consoleSocket?: string | undefined;
};

/** A runtime whose state lies under `root`. */
export function openOciRuntime(root: string): Runtime {
  return openRuntime({ stateDirectory: root, cgroups: readCgroupLayout() });
}

/** create: everything but the program. */
export async function create(runtime: Runtime, id: string, flags: OciFlags): Promise<number> {
  const monitor = await make(runtime, id, flags, 'create');
  monitor.release();
  return 0;
}

/** run: create and start; unless detached, wait, delete, and end as the process did. */
export async function run(runtime: Runtime, id: string, flags: OciFlags): Promise<number> {
  const monitor = await make(runtime, id, flags, 'run');
  if (flags.detach === true) {
    monitor.release();
    return 0;
  }
  using terminal = monitor.terminal;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => pass(runtime, id, signal));
  if (terminal !== undefined) await runTerminalSession(terminal, monitor.ended);
  const exit = await monitor.ended;
  await deleteContainer(runtime, id, { force: true });
  return exit === undefined ? 255 : shellExitCode(exit);
}

/** Pass a signal on. One that comes when the container has just ended has nobody to go to. */
function pass(runtime: Runtime, id: string, signal: NodeJS.Signals): void {
  try {
    killContainer(runtime, id, signalNumber(signal) ?? 15);
  } catch (error) {
    if (!isOciError(error, 'CONTAINER_STATE', 'CONTAINER_UNKNOWN')) throw error;
  }
}

async function make(runtime: Runtime, id: string, flags: OciFlags, mode: 'run' | 'create'): Promise<StartedMonitor> {
  const bundle = readBundle(flags.bundle);
  using console = openConsole({
    terminal: bundle.config.process?.terminal === true,
    socketPath: flags.consoleSocket,
    stays: mode === 'run' && flags.detach !== true,
  });
  const monitor = await createContainer(runtime, {
    id,
    config: withHome(bundle.config, bundle.rootfs),
    rootfs: { kind: 'directory', path: bundle.rootfs },
    bundle: bundle.directory,
    labels: {},
    stopSignal: 15,
    logFile: undefined,
    terminal: 'handed-out',
    mode,
    launch: { parent: 'caller' },
  });
  try {
    if (flags.pidFile !== undefined) writeFileSync(flags.pidFile, String(monitor.pid));
    if (console !== undefined) handOver(console, monitor);
    return monitor;
  } catch (error) {
    await deleteContainer(runtime, id, { force: true });
    throw error;
  }
}

function handOver(console: Fd, monitor: StartedMonitor): void {
  using terminal = monitor.terminal;
  if (terminal !== undefined) sendConsole(console, terminal);
}

/** start: let the program of a created container run. */
export async function start(runtime: Runtime, id: string): Promise<number> {
  await startContainer(runtime, id);
  return 0;
}

/** kill: a signal by name or number, to the first process or to all. */
export function kill(
  runtime: Runtime,
  id: string,
  { signal, all }: { readonly signal: string; readonly all: boolean },
): number {
  const number = signalNumber(signal);
  if (number === undefined) throw new OciError('CONFIG_INVALID', `Unknown signal '${signal}'`);
  if (all && number === 9) killAll(runtime, id);
  else killContainer(runtime, id, number);
  return 0;
}

/** delete: with force, a missing container is fine. */
export async function remove(runtime: Runtime, id: string, { force }: { readonly force: boolean }): Promise<number> {
  if (force && readState(runtime.stateDirectory, id) === undefined) return 0;
  await deleteContainer(runtime, id, { force });
  return 0;
}

/** exec: the program with the container's environment and user, streams inherited. */
export async function exec(runtime: Runtime, id: string, args: readonly string[]): Promise<number> {
  const base = readConfig(runtime, id).process;
  if (base === undefined)
    throw new OciError('CONFIG_INVALID', `Container '${id}' has no process configuration to take over`);
  const status = await execInContainer(runtime, { id, process: { ...base, args }, stdio: [0, 1, 2] });
  return shellExitCode(status);
}

/** The state of runtime.md, with runc's additions. */
export function stateDocument(runtime: Runtime, id: string): object {
  return document(runtime, requireState(runtime.stateDirectory, id));
}

/** list: the state of every container, in the order of creation; ids only, JSON, or a table. */
export function list(runtime: Runtime, { quiet, format }: ListFlags): string {
  const documents = listStates(runtime.stateDirectory).map((state) => document(runtime, state));
  if (quiet === true) return documents.map(({ id }) => id).join('\n');
  if (format === 'json') return JSON.stringify(documents);
  if (format !== undefined && format !== 'table')
    throw new OciError('CONFIG_INVALID', `Unknown format '${format}': it is table or json`);
  const rows = documents.map(({ id, pid, status, bundle, created }) => [id, String(pid), status, bundle, created]);
  return formatTable(['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED'], rows).trimEnd();
}

export type ListFlags = { readonly quiet?: boolean | undefined; readonly format?: string | undefined };

/** ps: the processes of a container, in the pid namespace of the host; a line each, or JSON. */
export function pids(runtime: Runtime, id: string, format: string | undefined): string {
  const numbers = processesOf(runtime, id);
  return format === 'json' ? JSON.stringify(numbers) : numbers.join('\n');
}

function processesOf(runtime: Runtime, id: string): number[] {
  return openCgroup(runtime.cgroups, requireState(runtime.stateDirectory, id).record.cgroupPath).procs();
}

/** pause and resume. */
export async function setFrozen(runtime: Runtime, id: string, frozen: boolean): Promise<number> {
  const cgroup = openCgroup(runtime.cgroups, requireState(runtime.stateDirectory, id).record.cgroupPath);
  await (frozen ? cgroup.freeze() : cgroup.thaw());
  return 0;
}

type Document = Pick<ContainerRecord, 'ociVersion' | 'id' | 'bundle' | 'annotations'> & {
  readonly pid: number;
  readonly status: string;
  readonly created: string;
  readonly owner: string;
};

function document(runtime: Runtime, { record, status, pid }: ContainerState): Document {
  const { ociVersion, id, bundle, annotations, createdAt, cgroupPath } = record;
  const paused = status === 'running' && openCgroup(runtime.cgroups, cgroupPath).frozen();
  const created = new Date(createdAt).toISOString();
  return { ociVersion, id, pid, status: paused ? 'paused' : status, bundle, created, annotations, owner: '' };
}
