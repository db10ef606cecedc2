// From config.json to a process: state on disk, cgroup, tape, spawn, and the answer from the status pipe. Whatever fails is
// taken back: no state, no cgroup, no process is left.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as afterOtherWork } from 'node:timers/promises';

import { mountPointOf } from '../../linux/mount-point.ts';
import { cgroupEntry, type Cgroup } from '../../linux/cgroup/cgroup.ts';
import { CgroupError } from '../../linux/cgroup/error.ts';
import type { Fd } from '../../linux/fd.ts';
import { mkfifo } from '../../linux/fifo.ts';
import { pageSize } from '../../linux/page-size.ts';
import { readProcessStat } from '../../linux/process-stat.ts';
import { assemble } from '../../linux/tape/assemble.ts';
import { tapeError } from '../../linux/tape/failure.ts';
import { hostArchitecture } from '../../linux/tape/machine-code.ts';
import type { Tape } from '../../linux/tape/operation.ts';
import { OciError, isOciError } from '../error.ts';
import { formatConfigText } from './config-text.ts';
import { cgroupOwner, giveCgroup } from './cgroup-owner.ts';
import { containerTape, type ContainerTapeOptions } from './container-tape.ts';
import type { RuntimeConfig } from './config.ts';
import { cgroupPath, resourcesOf, type ContainerCgroup } from './container-cgroup.ts';
import { makeCgroup } from './make-cgroup.ts';
import { makeContainerDirectory } from './make-container-directory.ts';
import { containerDirectory, readRecord, writeRecord, type ContainerRecord } from './record.ts';
import type { SharedMounts } from './shared-mounts.ts';
import { hasOwnMounts } from './namespaces-of.ts';
import { writeStartTime } from './exit-file.ts';
import { gatherMountFacts } from './gather-mount-facts.ts';
import type { Launch } from './launch.ts';
import { withPlainMounts } from './plain-mounts.ts';
import { prepareMounts } from './prepare-mounts.ts';
import { parkedFds } from './preserve-operations.ts';
import type { Rootfs } from './rootfs-operations.ts';
import type { Runtime } from './runtime.ts';
import { deleteContainer } from './delete.ts';
import { hasStartHooks, stopsForHooks } from './hook-operations.ts';
import { USER_NAMESPACE_FD } from './namespace-operations.ts';
import { privilegesOf } from './privileges.ts';
import { startContainer } from './start.ts';
import { unitOf } from './systemd/unit.ts';
import { seccompFacts } from './seccomp-facts.ts';
import type { SeccompHandout } from './seccomp-listener.ts';
import { givenStreams, type streamsFor } from './streams.ts';
import { startMonitor, type Monitor } from './monitor.ts';
import type { TerminalChannel, TerminalLife } from './terminal.ts';

export type CreateRequest = {
  readonly id: string;
  readonly config: RuntimeConfig;
  readonly rootfs: Rootfs;
  readonly bundle: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: number;
  /** File for standard output and error; undefined: the caller's own streams are inherited. */
  readonly logFile: string | undefined;
  /** What becomes of its terminal, where config.json asks for one: such a process writes to no log file. Default `kept`. */
  readonly terminal?: TerminalLife | undefined;
  /** `run`: go on to the program. `create`: stop before it, until `start`. */
  readonly mode: 'run' | 'create';
  /** Default: a monitor is the parent. */
  readonly launch?: Launch | undefined;
  /** systemd makes the cgroup; see `Subject`. */
  readonly systemd?: boolean | undefined;
};

export type StartedMonitor = Monitor & {
  /** The master of the process's terminal, for the caller to close; undefined when it has none. */
  readonly terminal: Fd | undefined;
};

/**
 * Create a container; with mode `run` its program has been executed when the promise resolves. The monitor that is
 * returned tells of its end. Rejects with OciError CONTAINER_EXISTS, CONFIG_INVALID, or START_FAILED with the failed call.
 */
export async function createContainer(runtime: Runtime, request: CreateRequest): Promise<StartedMonitor> {
  const { config, mode } = request;
  const stops = stopsForHooks(config) || hasStartHooks(config) || cgroupOwner(config) !== undefined;
  return mode === 'run' && stops ? createThenStart(runtime, request) : createInOneStep(runtime, request);
}

/** Hooks, and giving its cgroup away, want a container that is created and not yet started. */
async function createThenStart(runtime: Runtime, request: CreateRequest): Promise<StartedMonitor> {
  const monitor = await createInOneStep(runtime, { ...request, mode: 'create' });
  try {
    await startContainer(runtime, request.id);
    return monitor;
  } catch (error) {
    await deleteContainer(runtime, request.id, { force: true });
    throw error;
  }
}

async function createInOneStep(runtime: Runtime, request: CreateRequest): Promise<StartedMonitor> {
  const directory = makeContainerDirectory(runtime.stateDirectory, request.id);
  let cgroup: ContainerCgroup | undefined;
  try {
    writeState(runtime, { directory, sharedMounts: await sharedMountsOf(request) }, request);
    cgroup = await makeCgroup(runtime, request);
    await afterOtherWork();
    const started = await startContainerProcess(runtime, request, { directory, cgroup });
    await cgroup.entered?.();
    return started;
  } catch (error) {
    await takeBack(request, { directory, cgroup });
    if (isOciError(error, 'HOOK_FAILED'))
      await hooks().then((it) => it.runPoststopHooks(runtime, { ...request, pid: 0 }));
    throw configurationError(request.id, error);
  }
}

/** What cannot be removed must not hide why the start failed: a cgroup that stays is taken over by the next of its name. */
async function takeBack(
  request: CreateRequest,
  made: { directory: string; cgroup: Cgroup | undefined },
): Promise<void> {
  const { directory, cgroup } = made;
  try {
    // A monitor that was killed leaves its container running. A cgroup of another name may be others' too.
    if (request.systemd === true || cgroup?.path.endsWith(`/${request.id}`) === true) cgroup?.kill();
    await cgroup?.remove();
    const { sharedMounts } = readRecord(directory) ?? {};
    if (sharedMounts !== undefined) await import('./shared-mounts.ts').then((it) => it.takeMountsBack(sharedMounts));
  } catch (error) {
    if (!(error instanceof CgroupError) && !isOciError(error, 'SYSTEMD_FAILED')) throw error;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Limits, names and numbers that the kernel's interfaces cannot take come from the configuration. */
function configurationError(id: string, error: unknown): unknown {
  const fromLimits = error instanceof CgroupError && ['PATH_INVALID', 'UNSUPPORTED', 'REFUSED'].includes(error.code);
  if (!fromLimits && !(error instanceof RangeError)) return error;
  return new OciError('CONFIG_INVALID', `Cannot create container '${id}': ${error.message}`, { cause: error });
}

/** The tape that `createContainer` would run, for people to read. Changes nothing. */
export function describeContainer(runtime: Runtime, request: CreateRequest): Tape {
  const directory = containerDirectory(runtime.stateDirectory, request.id);
  const { tasksFiles, bornIn } = cgroupEntry(runtime.cgroups, cgroupPath(request), resourcesOf(request));
  return tapeOf(runtime, request, { directory, tasks: tasksFiles, born: bornIn });
}

type NewState = { readonly directory: string; readonly sharedMounts: SharedMounts | undefined };

function writeState({ bootId, creator }: Runtime, { directory, sharedMounts }: NewState, request: CreateRequest): void {
  const record: ContainerRecord = {
    ociVersion: request.config.ociVersion,
    id: request.id,
    bundle: request.bundle,
    annotations: request.config.annotations ?? {},
    labels: request.labels,
    bootId,
    creator,
    createdAt: Date.now(),
    cgroupPath: cgroupPath(request),
    logFile: request.logFile,
    stopSignal: request.stopSignal,
    ...(request.systemd === true ? { unit: unitOf(request.config.linux?.cgroupsPath, request.id).name } : {}),
    ...((request.config.hooks?.poststop ?? []).length > 0 ? { poststop: true } : {}),
    ...(hasOwnPids(request.config) ? {} : { sharesPids: true }),
    ...(sharedMounts === undefined ? {} : { sharedMounts }),
  };
  writeFileSync(join(directory, 'config.json'), formatConfigText(request.config), { mode: 0o600 });
  if (request.mode === 'create') mkfifo(join(directory, 'start.fifo'), 0o600);
  writeRecord(directory, record);
}

/** Few containers have mounts that are not their own. */
async function sharedMountsOf({ config, rootfs }: CreateRequest): Promise<SharedMounts | undefined> {
  if (hasOwnMounts(config)) return undefined;
  const { mountsBefore } = await import('./shared-mounts.ts');
  return mountsBefore(config, rootfs);
}

function hasOwnPids({ linux }: RuntimeConfig): boolean {
  return (linux?.namespaces ?? []).some(({ type, path }) => type === 'pid' && path === undefined);
}

type Place = { readonly directory: string; readonly tasks: readonly string[]; readonly born: string | undefined };

function tapeOf(runtime: Runtime, request: CreateRequest, { directory, tasks, born }: Place): Tape {
  const config = plainConfig(request);
  return containerTape({
    config,
    rootfs: request.rootfs,
    directory,
    cgroupTasks: tasks,
    cgroupDirectory: born,
    stdio: standardStreams(request),
    startFifo: request.mode === 'create' ? join(directory, 'start.fifo') : undefined,
    launch: request.launch,
    facts: {
      ...gatherMountFacts(runtime, { config, rootfs: request.rootfs, cgroupPath: cgroupPath(request), directory }),
      ...seccompFacts(runtime, config.linux?.seccomp, directory),
      ...privilegesOf(runtime, config, config.process).facts,
      labels: runtime.labels,
      mountPointOf,
    },
  });
}

function plainConfig({ config, bundle }: CreateRequest): RuntimeConfig {
  return withPlainMounts(config, bundle);
}

function hasTerminal({ config }: CreateRequest): boolean {
  return config.process?.terminal === true;
}

function standardStreams(request: CreateRequest): ContainerTapeOptions['stdio'] {
  const { logFile } = request;
  if (logFile === undefined || hasTerminal(request)) return {};
  return { stdout: logFile, stderr: logFile };
}

/** The streams that are no files of the tape. */
function inheritedStreams(runtime: Runtime, { logFile, config }: CreateRequest): ReturnType<typeof streamsFor> {
  return logFile === undefined ? givenStreams(runtime, config, config.process) : [[runtime.nullDevice(), 0]];
}

/** This process has not reaped it yet, so the number is still its own. */
function noteStartTime(directory: string, pid: number): void {
  const stat = readProcessStat(pid);
  if (stat !== undefined) writeStartTime(join(directory, 'exit'), stat.startTime);
}

/** Few containers have hooks: what runs them is loaded when one does. */
const hooks = () => import('./hooks.ts');

async function meetHooks(
  runtime: Runtime,
  { id, bundle, config, rootfs }: CreateRequest,
  { directory, cgroup, pid }: { directory: string; cgroup: ContainerCgroup; pid: number },
): Promise<void> {
  await cgroup.entered?.();
  const place = { cgroup, rootfs: rootfs.kind === 'directory' ? rootfs.path : directory };
  const { runCreateHooks } = await hooks();
  await runCreateHooks(runtime, { id, bundle, config, pid }, place);
}

/** Few profiles ask somebody: what hands the descriptor out is loaded when one does. */
async function openHandout({ id, bundle, config }: CreateRequest): Promise<SeccompHandout | undefined> {
  if (!config.linux?.seccomp?.listenerPath) return undefined;
  const { openSeccompHandout } = await import('./seccomp-listener.ts');
  return openSeccompHandout(config.linux?.seccomp, { subject: { id, bundle, config, pid: 0 }, status: 'creating' });
}

/** Most containers have no terminal and no user namespace: neither is loaded for them. */
async function openChannel(request: CreateRequest): Promise<TerminalChannel | undefined> {
  if (!hasTerminal(request)) return undefined;
  return import('./terminal.ts').then((it) => new it.TerminalChannel(request.terminal ?? 'kept'));
}

async function openUserNamespace({ config: { linux = {} } }: CreateRequest): Promise<Fd | undefined> {
  if (linux.namespaces?.some(({ type }) => type === 'user') !== true) return undefined;
  return import('./user-namespace.ts').then((it) => it.openUserNamespace(linux));
}

async function startContainerProcess(
  runtime: Runtime,
  request: CreateRequest,
  made: { directory: string; cgroup: ContainerCgroup },
): Promise<StartedMonitor> {
  const { directory, cgroup } = made;
  const tape = tapeOf(runtime, request, { directory, tasks: cgroup.tasksFiles, born: cgroup.bornIn });
  const assembled = assemble(tape, hostArchitecture(), pageSize());
  await afterOtherWork();
  using prepared = await prepareMounts(plainConfig(request), request.rootfs);
  using channel = await openChannel(request);
  using userNamespace = await openUserNamespace(request);
  using handout = await openHandout(request);
  const { parent, preservedFds } = request.launch ?? { parent: 'monitor' };
  const fds = [...parkedFds(preservedFds), ...(channel?.fds ?? inheritedStreams(runtime, request)), ...prepared.fds];
  if (userNamespace !== undefined) fds.push([userNamespace.number, USER_NAMESPACE_FD]);
  const { monitor, outcome } = await startMonitor(runtime.spawner, assembled, {
    id: request.id,
    fds,
    parent,
    onPhase: runtime.onPhase,
    bounding: privilegesOf(runtime, request.config, request.config.process).wanted,
    handout,
    whenWaiting: stopsForHooks(request.config) ? (pid) => meetHooks(runtime, request, { ...made, pid }) : undefined,
  });
  if (outcome.kind === 'ready') {
    giveCgroup(cgroup, request.config);
    if (parent === 'caller') noteStartTime(directory, monitor.pid);
    return { ...monitor, terminal: channel?.receive() };
  }
  await monitor.ended;
  if (outcome.kind === 'refused') throw outcome.error;
  if (outcome.kind === 'failed') {
    const error = tapeError(assembled, outcome);
    throw new OciError('START_FAILED', `Cannot start container '${request.id}': ${error.message}`, { cause: error });
  }
  throw new OciError('START_FAILED', `Cannot start container '${request.id}': its monitor was killed`);
}
