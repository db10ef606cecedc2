// config.json → the tape that starts the container: everything between clone and exec, as data.
//
//   monitor    exit file, clone3 ──▶ container   join cgroups and namespaces, root, mounts, devices, identity, execve
//   (host)     wait, write status    (new namespaces)   any error ──▶ fail: report (operation, errno), exit 127
import { failBlock } from '../../linux/tape/blocks.ts';
import type { Operation, Tape } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { RuntimeConfig } from './config.ts';
import { deviceOperations, isOwnDev } from './device-operations.ts';
import { monitorOperations, recordFailure } from './monitor-operations.ts';
import { planNamespaces, type NamespacePlan } from './namespace-operations.ts';
import { failAsideBlocks } from './preserve-operations.ts';
import { programOperations } from './program-operations.ts';
import { searchBlocks } from './search-operations.ts';
import { moveRootOperations } from './move-root-operations.ts';
import { sessionKeyring } from './keyring-operations.ts';
import { initBlocks } from './init-operations.ts';
import type { Launch } from './launch.ts';
import { maskOperations, readonlyOperations } from './mask-operations.ts';
import { collect, type MountFacts, type MountOperations } from './mount-facts.ts';
import { mountOperations } from './mount-operations.ts';
import { eachDirectoryOnce } from './each-directory-once.ts';
import { makeDirectories, octal, writeFile } from './path-operations.ts';
import { oomOperations, type ProcessFacts } from './process-operations.ts';
import { pivotOperations, readonlyRoot, rootfsOperations, takeRoot, type Rootfs } from './rootfs-operations.ts';
import { openFifo, waitForever } from './start-fifo-operations.ts';
import {
  REFUSED,
  enterForNow,
  keepHostRoot,
  leaveForHooks,
  leaveSharedForHooks,
  refusedBlock,
  stopsForHooks,
} from './hook-operations.ts';
import { labelOperations, type LabelModules } from './label-operations.ts';
import { hostPropagation, isShared, keepApart, releaseOperations, rootPropagation } from './propagation-operations.ts';
import { executionOperations } from './scheduling-operations.ts';
import { attachAgain, becomeRoot, hostSideMounts } from './user-root-operations.ts';
import { chrootHere, sharedRoot, sharedRootOperations } from './shared-root-operations.ts';
import { hasOwnMounts } from './namespaces-of.ts';
import { hostNameOperations } from './host-name-operations.ts';
import { loopbackOperations } from './loopback-operations.ts';
import { ownStreamOperations, streamOperations, type StreamFiles } from './stream-operations.ts';
import { sysctlOperations } from './sysctl-operations.ts';
import { consoleOperations, terminalOperations } from './terminal-operations.ts';

export type ContainerTapeOptions = {
  readonly config: RuntimeConfig;
  readonly rootfs: Rootfs;
  /** `containers/<id>`: the exit file lies here, and the root is attached here in the container's mount namespace. */
  readonly directory: string;
  /** cgroup v1: the `tasks` files to join. */
  readonly cgroupTasks: readonly string[];
  /** cgroup v2: the directory to be born in. */
  readonly cgroupDirectory: string | undefined;
  readonly stdio: StreamFiles;
  /** A FIFO to wait at before the program runs: the two steps create and start. */
  readonly startFifo: string | undefined;
  /** Default: a monitor is the parent. */
  readonly launch?: Launch | undefined;
  readonly facts: MountFacts & ProcessFacts & HostFacts;
};

/** What else the tape must know of the machine. */
export type HostFacts = {
  readonly labels: LabelModules;
  /** Where the mount is mounted that a path is in. */
  readonly mountPointOf: (path: string) => string;
};

/** The tape of a container. Pure. Throws OciError CONFIG_INVALID where the config asks for what cannot be. */
export function containerTape(options: ContainerTapeOptions): Tape {
  const { config, directory, launch } = options;
  const namespaces = planNamespaces(config.linux ?? {});
  const parent = launch?.parent ?? 'monitor';
  if (namespaces.user && parent === 'monitor') requirePidNamespace(config);
  const parts = containerParts(options);
  const monitor = monitorOperations({
    exitFile: `${directory}/exit`,
    cloneFlags: namespaces.cloneFlags,
    beforeClone: [
      ...namespaces.beforeUser,
      ...(namespaces.user ? [...openFifo(options.startFifo), hostSideMounts(), ...parts.hostSide] : []),
      ...namespaces.beforeClone,
    ],
    cgroupDirectory: options.cgroupDirectory,
    terminal: config.process?.terminal === true,
    parent,
  });
  const inside = eachDirectoryOnce(containerOperations(options, namespaces, parts));
  return {
    name: 'container',
    blocks: [
      { label: 'monitor', zone: 'parent', operations: monitor },
      failBlock('parent', [recordFailure()]),
      ...initBlocks(searchBlocks('container', inside)),
      ...failAsideBlocks(launch?.preservedFds, { exitFile: true }),
      ...(inside.some(({ onZero }) => onZero === REFUSED) ? [refusedBlock()] : []),
    ],
  };
}

/** Root of a user namespace may signal every process in it: the monitor too, where it can be seen. */
function requirePidNamespace({ linux }: RuntimeConfig): void {
  if (linux?.namespaces?.some(({ type }) => type === 'pid') === true) return;
  throw new OciError(
    'CONFIG_INVALID',
    "linux.namespaces: a container in a 'user' namespace needs a 'pid' namespace too",
  );
}

/** What is done with the host in view, and what is done in the container's root. */
type Parts = {
  readonly attachPoint: string;
  readonly hostSide: readonly Operation[];
  readonly mounts: readonly MountOperations[];
  readonly masks: MountOperations;
  readonly devices: MountOperations;
};

function containerParts({ config, rootfs, directory, facts }: ContainerTapeOptions): Parts {
  const linux = config.linux ?? {};
  // Hooks look for the root where the bundle has it.
  const attachPoint = stopsForHooks(config) && rootfs.kind === 'directory' ? rootfs.path : directory;
  const shared = sharedRoot(config, rootfs);
  const mounts = mountOperations(config, shared === undefined ? facts : { ...facts, stage: shared });
  const masks = maskOperations(config, facts);
  const devices = deviceOperations(config);
  if (shared !== undefined) return { attachPoint: shared, mounts, masks, devices, hostSide: [takeRoot(shared)] };
  const [apart, ...attach] = rootfsOperations(rootfs, attachPoint, hostPropagation(linux));
  const around = rootfs.kind === 'directory' ? [rootfs.path, attachPoint] : [attachPoint];
  return {
    attachPoint,
    mounts,
    masks,
    devices,
    hostSide: [
      ...(apart === undefined ? [] : [apart]),
      ...(isShared(linux) ? keepApart(around.map(facts.mountPointOf)) : []),
      ...attach,
      ...collect([...mounts, devices, masks], 'beforeUser'),
    ],
  };
}

function containerOperations(
  options: ContainerTapeOptions,
  { user, ...namespaces }: NamespacePlan,
  parts: Parts,
): Operation[] {
  const { config, facts, launch } = options;
  const { process, linux = {} } = config;
  return [
    ...joinCgroups(options.cgroupTasks),
    { call: 'setsid', args: [], what: 'lead a session of its own' },
    ...sessionKeyring(launch?.sessionKeyring),
    ...namespaces.afterClone,
    ...(namespaces.newNetwork ? loopbackOperations() : []),
    ...streamOperations(options.stdio),
    ...ownStreamOperations(options.stdio, process?.user.uid ?? 0),
    ...(user ? [] : openFifo(options.startFifo)), // before the root covers it
    ...(process === undefined ? [] : [...labelOperations(process, facts.labels), ...oomOperations(process)]),
    ...(user ? attachAgain(parts.attachPoint) : parts.hostSide),
    ...collect([...parts.mounts, parts.masks], 'beforePivot'),
    ...(hasOwnMounts(config)
      ? rootWithMounts(options, user ? [...becomeRoot(), ...namespaces.asRoot] : undefined, parts)
      : [...namespaces.withMounts, ...sharedRootWithMounts(config, parts)]),
    ...hostNameOperations(config),
    ...parts.masks.afterPivot,
    ...readonlyOperations(config, facts),
    ...terminal(config),
    ...(process === undefined || process.cwd === '/' ? [] : makeDirectories(process.cwd)),
    ...collect([...parts.mounts, parts.masks], 'atEnd'),
    ...rootPropagation(linux),
    ...(config.root.readonly === true ? [readonlyRoot()] : []),
    ...executionOperations(linux),
    ...(process === undefined
      ? waitForever(options.startFifo)
      : programOperations(process, { ...options, preservedFds: launch?.preservedFds })),
  ];
}

/** Into the root for good, and everything mounted in it. Where hooks run in between, they see all of it, and the host. */
function rootWithMounts(
  options: ContainerTapeOptions,
  asRoot: readonly Operation[] | undefined,
  parts: Parts,
): Operation[] {
  const { config, launch } = options;
  const { attachPoint } = parts;
  const own: Operation[] = [...(asRoot ?? []), takeModes(), ...withOwnContent(parts, config)];
  if (launch?.noPivot === true) return [...moveRootOperations(attachPoint), ...own];
  const [enter, pivot, ...letGo] = pivotOperations(attachPoint);
  if (enter === undefined || pivot === undefined)
    throw new RangeError('pivotOperations begins with chdir and pivot_root');
  const release = [...releaseOperations(config.linux ?? {}), ...letGo];
  if (stopsForHooks(config))
    return [...enterForNow(attachPoint), ...own, ...leaveForHooks(attachPoint), pivot, ...release];
  // In a user namespace /proc and /sys can only be mounted where whole ones are in view (mount_namespaces(7)): the host's.
  return asRoot !== undefined ? [enter, pivot, ...own, ...release] : [enter, pivot, ...release, ...own];
}

/** The same where the mounts are others' too. */
function sharedRootWithMounts(config: RuntimeConfig, parts: Parts): Operation[] {
  const [attach, enter] = sharedRootOperations(parts.attachPoint);
  const own = [takeModes(), ...withOwnContent(parts, config)];
  if (!stopsForHooks(config)) return [...attach, ...enter, ...own];
  return [...attach, ...keepHostRoot(), ...enter, ...own, ...leaveSharedForHooks(), chrootHere()];
}

function takeModes(): Operation {
  return { call: 'umask', args: [octal(0)], what: 'take modes as they are given' };
}

function joinCgroups(tasks: readonly string[]): Operation[] {
  return tasks.flatMap((path) => writeFile(path, '0', path));
}

/** What goes into a mount comes right after it, before anything is mounted on top: devices into /dev, sysctls into /proc. */
function withOwnContent({ mounts, devices }: Parts, config: RuntimeConfig): Operation[] {
  const { linux = {}, mounts: list = [] } = config;
  const proc = list.findIndex(({ destination, type }) => destination === '/proc' && type === 'proc');
  const dev = list.findIndex(isOwnDev);
  const operations = mounts.flatMap((each, index) => [
    ...each.afterPivot,
    ...(index === dev ? devices.afterPivot : []),
    ...(index === proc ? sysctlOperations(linux) : []),
  ]);
  return [...operations, ...(dev === -1 ? devices.afterPivot : []), ...(proc === -1 ? sysctlOperations(linux) : [])];
}

/** After the last mount, so that the numbers of its descriptors are nobody's any more. */
function terminal({ process, mounts = [] }: RuntimeConfig): Operation[] {
  if (process?.terminal !== true) return [];
  return [...terminalOperations(process), ...(mounts.some(isOwnDev) ? consoleOperations() : [])];
}
