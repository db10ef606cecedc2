// config.json → the tape that starts the container: everything between clone and exec, as data.
//
//   monitor    exit file, clone3 ──▶ container   join cgroups and namespaces, root, mounts, devices, identity, execve
//   (host)     wait, write status    (new namespaces)   any error ──▶ fail: report (operation, errno), exit 127
import { CLONE_FLAGS } from '../../linux/namespace-flags.ts';
import { MS_FLAGS } from '../../linux/mount-flags.ts';
import { failBlock } from '../../linux/tape/blocks.ts';
import { bytes, result, text, value, type Operation, type Tape, type Value } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { Linux, NamespaceType, RuntimeConfig } from './config.ts';
import { deviceOperations, isOwnDev } from './device-operations.ts';
import { joinNamespace, monitorOperations, recordFailure } from './monitor-operations.ts';
import { failAsideBlocks } from './preserve-operations.ts';
import { programOperations } from './program-operations.ts';
import { searchBlocks } from './search-operations.ts';
import { moveRootOperations } from './move-root-operations.ts';
import { sessionKeyring } from './keyring-operations.ts';
import type { Launch } from './launch.ts';
import { maskOperations, readonlyOperations } from './mask-operations.ts';
import { mountOperations, type MountFacts, type MountOperations } from './mount-operations.ts';
import { propagationFlags } from './mount-options.ts';
import { eachDirectoryOnce } from './each-directory-once.ts';
import { atCwd, makeDirectories, octal, writeFile } from './path-operations.ts';
import type { ProcessFacts } from './process-operations.ts';
import { pivotOperations, readonlyRoot, rootfsOperations, type Rootfs } from './rootfs-operations.ts';
import { openFifo } from './start-fifo-operations.ts';
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
  /** Files for the standard streams; a stream that is not named is inherited. */
  readonly stdio: { readonly stdin?: string; readonly stdout?: string; readonly stderr?: string };
  /** A FIFO to wait at before the program runs: the two steps create and start. */
  readonly startFifo: string | undefined;
  /** Default: a monitor is the parent. */
  readonly launch?: Launch | undefined;
  readonly facts: MountFacts & ProcessFacts;
};

const NAMESPACES: Readonly<Record<Exclude<NamespaceType, 'user' | 'time'>, keyof typeof CLONE_FLAGS>> = {
  pid: 'CLONE_NEWPID',
  network: 'CLONE_NEWNET',
  mount: 'CLONE_NEWNS',
  ipc: 'CLONE_NEWIPC',
  uts: 'CLONE_NEWUTS',
  cgroup: 'CLONE_NEWCGROUP',
};

type Namespaces = {
  readonly cloneFlags: number;
  readonly cgroup: boolean;
  readonly joins: readonly { readonly path: string; readonly flag: keyof typeof CLONE_FLAGS }[];
};

/** The tape of a container. Pure. Throws OciError CONFIG_INVALID where the config asks for what cannot be. */
export function containerTape(options: ContainerTapeOptions): Tape {
  const namespaces = readNamespaces(options.config.linux ?? {});
  const pidJoin = namespaces.joins.find((join) => join.flag === 'CLONE_NEWPID');
  const monitor = monitorOperations({
    exitFile: `${options.directory}/exit`,
    cloneFlags: namespaces.cloneFlags,
    pidNamespace: pidJoin?.path,
    cgroupDirectory: options.cgroupDirectory,
    terminal: options.config.process?.terminal === true,
    parent: options.launch?.parent ?? 'monitor',
  });
  return {
    name: 'container',
    blocks: [
      { label: 'monitor', zone: 'parent', operations: monitor },
      failBlock('parent', [recordFailure()]),
      ...searchBlocks('container', eachDirectoryOnce(containerOperations(options, namespaces))),
      ...failAsideBlocks(options.launch?.preservedFds, { exitFile: true }),
    ],
  };
}

function readNamespaces(linux: Linux): Namespaces {
  const seen = new Set<string>();
  let cloneFlags = 0;
  const joins: { path: string; flag: keyof typeof CLONE_FLAGS }[] = [];
  for (const { type, path } of linux.namespaces ?? []) {
    if (seen.has(type)) throw new OciError('CONFIG_INVALID', `linux.namespaces: '${type}' stands twice`);
    seen.add(type);
    if (type === 'user' || type === 'time')
      throw new OciError('CONFIG_INVALID', `linux.namespaces: '${type}' namespaces are not supported yet`);
    if (path !== undefined) joins.push({ path, flag: NAMESPACES[type] });
    else if (type !== 'cgroup') cloneFlags |= CLONE_FLAGS[NAMESPACES[type]];
  }
  if ((cloneFlags & CLONE_FLAGS.CLONE_NEWNS) === 0) {
    throw new OciError('CONFIG_INVALID', "linux.namespaces: a container needs a new 'mount' namespace");
  }
  const cgroup = seen.has('cgroup') && !joins.some((join) => join.flag === 'CLONE_NEWCGROUP');
  return { cloneFlags, cgroup, joins };
}

function containerOperations(options: ContainerTapeOptions, namespaces: Namespaces): Operation[] {
  const { config, directory, facts, launch } = options;
  if (config.process === undefined)
    throw new OciError('CONFIG_INVALID', 'process is missing: there is no program to run');
  const linux = config.linux ?? {};
  const mounts = (config.mounts ?? []).map((mount, index) => mountOperations(mount, index, facts));
  const masks = maskOperations(config, facts);
  return [
    ...joinCgroups(options.cgroupTasks),
    { call: 'setsid', args: [], what: 'lead a session of its own' },
    ...sessionKeyring(launch?.sessionKeyring),
    ...(namespaces.cgroup ? [unshareCgroup()] : []),
    ...namespaces.joins
      .filter((join) => join.flag !== 'CLONE_NEWPID')
      .flatMap((join) => joinNamespace(join.path, join.flag)),
    ...(namespaces.cloneFlags & CLONE_FLAGS.CLONE_NEWNET ? loopbackUp() : []),
    ...standardStreams(options),
    ...openFifo(options.startFifo), // before the root covers it
    ...rootfsOperations(options.rootfs, directory, hostPropagation(linux)),
    ...mounts.flatMap((each) => each.beforePivot),
    ...masks.beforePivot,
    ...(launch?.noPivot === true ? moveRootOperations(directory) : pivotOperations(directory)),
    { call: 'umask', args: [octal(0)], what: 'take modes as they are given' },
    ...withOwnContent(mounts, config),
    ...names(config),
    ...masks.afterPivot,
    ...readonlyOperations(config, facts),
    ...terminal(config),
    ...(config.process === undefined || config.process.cwd === '/' ? [] : makeDirectories(config.process.cwd)),
    ...(config.root.readonly === true ? [readonlyRoot()] : []),
    ...programOperations(config.process, { ...options, preservedFds: launch?.preservedFds }),
  ];
}

function joinCgroups(tasks: readonly string[]): Operation[] {
  return tasks.flatMap((path) => writeFile(path, '0', path));
}

function unshareCgroup(): Operation {
  const flag = value(CLONE_FLAGS.CLONE_NEWCGROUP, 'CLONE_NEWCGROUP');
  return { call: 'unshare', args: [flag], what: 'make the cgroup namespace, rooted where it stands now' };
}

/** A new network namespace has its loopback down: netdevice(7), SIOCSIFFLAGS. */
function loopbackUp(): Operation[] {
  const socket = result('loopback socket');
  const request = Buffer.alloc(40);
  request.write('lo');
  request.writeUInt16LE(0x41, 16); // IFF_UP|IFF_RUNNING
  return [
    {
      call: 'socket',
      args: [value(2, 'AF_INET'), value(0o2000002, 'SOCK_DGRAM|SOCK_CLOEXEC'), 0],
      save: socket,
      what: 'open a socket',
    },
    {
      call: 'ioctl',
      args: [socket, value(0x8914, 'SIOCSIFFLAGS'), bytes(request, '{lo, IFF_UP|IFF_RUNNING}')],
      what: 'bring the loopback up',
    },
  ];
}

function hostPropagation(linux: Linux): number {
  if (linux.rootfsPropagation === undefined) return MS_FLAGS.MS_PRIVATE;
  const flags = propagationFlags(linux.rootfsPropagation);
  if (flags === undefined)
    throw new OciError('CONFIG_INVALID', `linux.rootfsPropagation: unknown value '${linux.rootfsPropagation}'`);
  // A shared root would spread the container's mounts over the host: runc and crun make it a slave while they set up.
  return (flags & MS_FLAGS.MS_SHARED) === 0 ? flags : MS_FLAGS.MS_SLAVE;
}

/** What goes into a mount comes right after it, before anything is mounted on top: devices into /dev, sysctls into /proc. */
function withOwnContent(mounts: readonly MountOperations[], config: RuntimeConfig): Operation[] {
  const linux = config.linux ?? {};
  const proc = (config.mounts ?? []).findIndex(({ destination, type }) => destination === '/proc' && type === 'proc');
  const operations = mounts.flatMap((each, index) => {
    const mount = config.mounts?.[index];
    return [
      ...each.afterPivot,
      ...(mount !== undefined && isOwnDev(mount) ? deviceOperations(linux.devices ?? []) : []),
      ...(index === proc ? sysctlOperations(linux) : []),
    ];
  });
  return proc === -1 ? [...operations, ...sysctlOperations(linux)] : operations;
}

/** After the last mount, so that the numbers of its descriptors are nobody's any more. */
function terminal({ process, mounts = [] }: RuntimeConfig): Operation[] {
  if (process?.terminal !== true) return [];
  return [...terminalOperations(process), ...(mounts.some(isOwnDev) ? consoleOperations() : [])];
}

function names({ hostname, domainname }: RuntimeConfig): Operation[] {
  const host: Operation[] =
    hostname === undefined
      ? []
      : [
          {
            call: 'sethostname',
            args: [text(hostname), Buffer.byteLength(hostname)],
            what: `set the host name to ${hostname}`,
          },
        ];
  const domain: Operation[] =
    domainname === undefined
      ? []
      : [
          {
            call: 'setdomainname',
            args: [text(domainname), Buffer.byteLength(domainname)],
            what: `set the domain name to ${domainname}`,
          },
        ];
  return [...host, ...domain];
}

const O_RDONLY_CLOEXEC = value(0o2000000, 'O_RDONLY|O_CLOEXEC');
const O_APPEND_LOG = value(0o2002101, 'O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC');

/** Standard streams from files, opened while the host is in view. The container writes to them itself: no pump process. */
function standardStreams({ stdio }: ContainerTapeOptions): Operation[] {
  const { stdin, stdout, stderr } = stdio;
  const both: Operation = { call: 'dup3', args: [1, 2, 0], what: 'send standard error there too' };
  return [
    ...(stdin === undefined ? [] : openStream(stdin, 0, O_RDONLY_CLOEXEC)),
    ...(stdout === undefined ? [] : openStream(stdout, 1, O_APPEND_LOG)),
    ...(stderr === undefined ? [] : stderr === stdout ? [both] : openStream(stderr, 2, O_APPEND_LOG)),
  ];
}

function openStream(path: string, fd: number, flags: Value): Operation[] {
  const opened = result(`stream ${fd}`);
  return [
    { call: 'openat', args: [atCwd, text(path), flags, octal(0o640)], save: opened, what: `open ${path}` },
    { call: 'dup3', args: [opened, fd, 0], what: `make it descriptor ${fd}` },
  ];
}
