// Image config + what the container shall be → config.json. Pure: the same input gives the same bytes.
import type { ImageConfig } from '../image/image-config.ts';
import { OciError } from '../error.ts';
import type {
  DeviceRule,
  Linux,
  Mount,
  NamespaceType,
  Process,
  Resources,
  RuntimeConfig,
  Seccomp,
  User,
} from './config.ts';
import { DEFAULT_CAPABILITIES, READONLY_PATHS, defaultDeviceRules, maskedPaths } from './defaults.ts';
import type { SeccompSubject } from './seccomp-default.ts';
import { CAPABILITIES } from '../../linux/capability.ts';
import type { WindowSize } from '../../linux/pty.ts';
import { signalNumber } from '../../linux/signal.ts';

/** What a caller may ask of a container on top of its image. Everything that names a default says so. */
export type ContainerOptions = {
  readonly hostname: string;
  /** Replaces Entrypoint and Cmd. */
  readonly command?: readonly string[] | undefined;
  /** Replaces Cmd. */
  readonly args?: readonly string[] | undefined;
  readonly env: readonly string[];
  /** Home directory of the user: HOME where neither image nor `env` say another. */
  readonly home: string;
  readonly workingDir?: string | undefined;
  /** Already looked up; see user.ts. */
  readonly user: User;
  readonly mounts: readonly Mount[];
  readonly resources: Resources;
  readonly capabilitiesAdd: readonly string[];
  readonly capabilitiesDrop: readonly string[];
  readonly privileged: boolean;
  readonly readonlyRootfs: boolean;
  readonly noNewPrivileges: boolean;
  readonly seccomp: 'default' | 'unconfined';
  readonly terminal: boolean;
  /** A first process that forwards signals and reaps, with the program as its child. Default: the program is the first. */
  readonly init?: boolean | undefined;
  /** Size of the terminal; undefined: the kernel's 0 × 0. */
  readonly terminalSize?: WindowSize | undefined;
  /** Paths of namespaces to join; `host` leaves the container in the host's. Undefined: a new one. */
  readonly network?: string | undefined;
  readonly ipc?: string | undefined;
  /** `host` leaves it in the machine's PID namespace. Undefined: a new one. */
  readonly pid?: 'host' | undefined;
  readonly cgroupPath: string;
  readonly sysctl?: Readonly<Record<string, string>> | undefined;
};

/** What the configuration depends on of the machine. */
export type Machine = {
  /** From `thermalThrottlePaths`. */
  readonly thermalThrottle: readonly string[];
  readonly defaultSeccomp: (subject: SeccompSubject) => Seccomp;
  /** Of the process that makes containers; 0 by default. They must not inherit what protects it. */
  readonly oomScoreAdj?: number;
  /** Whether cgroups can be killed as a whole when they run out of memory (v2). */
  readonly oomGroup?: boolean;
};

const OCI_VERSION = '1.2.0';
const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const SIGTERM = 15;

/** The runtime configuration. Throws OciError CONFIG_INVALID when there is no program to run or a capability is unknown. */
export function generateConfig(image: ImageConfig, options: ContainerOptions, machine: Machine): RuntimeConfig {
  return {
    ociVersion: OCI_VERSION,
    ...(options.network === 'host' ? {} : { hostname: options.hostname }),
    root: { path: 'rootfs', readonly: options.readonlyRootfs },
    process: { ...generateProcess(image, options), ...oomScore(machine) },
    mounts: [...systemMounts(options), ...options.mounts],
    linux: generateLinux(image.architecture, options, machine),
  };
}

/** Whether these containers get no device beyond what every container has. Throws OciError CONFIG_INVALID. */
export function hasDefaultDevices(
  options: Pick<ContainerOptions, 'privileged' | 'capabilitiesAdd' | 'capabilitiesDrop'>,
): boolean {
  return !options.privileged && defaultDeviceRules(capabilitiesOf(options)).length === defaultDeviceRules([]).length;
}

function generateLinux(
  architecture: string,
  options: ContainerOptions,
  { thermalThrottle, defaultSeccomp, oomGroup = false }: Machine,
): Linux {
  const { privileged, resources, sysctl } = options;
  const capabilities = capabilitiesOf(options);
  const confined = { maskedPaths: maskedPaths(thermalThrottle), readonlyPaths: READONLY_PATHS };
  const devices: readonly DeviceRule[] = privileged
    ? [{ allow: true, access: 'rwm' }]
    : defaultDeviceRules(capabilities);
  return {
    namespaces: namespaces(options),
    ...rootPropagation(options.mounts),
    cgroupsPath: options.cgroupPath,
    // As the kubelet has it: a container that has lost one process to the OOM killer ends whole, and is started again.
    resources: { ...resources, devices, ...(oomGroup ? { unified: { 'memory.oom.group': '1' } } : {}) },
    ...(privileged ? {} : confined),
    ...(privileged || options.seccomp === 'unconfined'
      ? {}
      : { seccomp: defaultSeccomp({ capabilities, architecture }) }),
    ...(sysctl === undefined ? {} : { sysctl }),
  };
}

/** A volume that is shared with the machine needs a root that is. The others are at most slaves, which needs nothing. */
function rootPropagation(mounts: readonly Mount[]): Pick<Linux, 'rootfsPropagation'> {
  const isShared = mounts.some(({ options = [] }) => options.includes('shared') || options.includes('rshared'));
  return isShared ? { rootfsPropagation: 'rshared' } : {};
}

/** The signal that asks the image's program to end: its StopSignal, else SIGTERM. */
export function stopSignal(image: ImageConfig): number {
  const name = image.config?.StopSignal;
  return name === undefined || name === '' ? SIGTERM : (signalNumber(name) ?? SIGTERM);
}

function generateProcess(image: ImageConfig, options: ContainerOptions): Process {
  const capabilities = capabilitiesOf(options);
  const held = options.user.uid === 0 ? capabilities : [];
  return {
    terminal: options.terminal,
    ...consoleSize(options),
    ...(options.init === true ? { init: true } : {}),
    user: options.user,
    args: commandLine(image, options),
    env: environment(image, options),
    cwd: workingDirectory(image, options),
    capabilities: { bounding: capabilities, permitted: held, effective: held, inheritable: [], ambient: [] },
    noNewPrivileges: options.noNewPrivileges && !options.privileged,
  };
}

function oomScore({ oomScoreAdj = 0 }: Machine): Pick<Process, 'oomScoreAdj'> {
  return oomScoreAdj === 0 ? {} : { oomScoreAdj: 0 };
}

function consoleSize({ terminal, terminalSize }: ContainerOptions): Pick<Process, 'consoleSize'> {
  if (!terminal || terminalSize === undefined) return {};
  return { consoleSize: { height: terminalSize.rows, width: terminalSize.columns } };
}

/** Kubernetes' table of command and args against Entrypoint and Cmd. */
function commandLine(image: ImageConfig, { command, args }: ContainerOptions): readonly string[] {
  const entrypoint = command ?? image.config?.Entrypoint ?? [];
  const rest = args ?? (command === undefined ? (image.config?.Cmd ?? []) : []);
  const line = [...entrypoint, ...rest];
  if (line.length === 0)
    throw new OciError('CONFIG_INVALID', 'No command: the image has neither Entrypoint nor Cmd, and none was given');
  return line;
}

/** Later entries win, each name once, in the order of their first appearance. */
function environment(image: ImageConfig, options: ContainerOptions): string[] {
  const variables = new Map<string, string>();
  const terminal = options.terminal ? ['TERM=xterm'] : [];
  const hostname = options.network === 'host' ? [] : [`HOSTNAME=${options.hostname}`];
  const home = `HOME=${options.home}`;
  for (const entry of [DEFAULT_PATH, home, ...hostname, ...terminal, ...(image.config?.Env ?? []), ...options.env]) {
    const equals = entry.indexOf('=');
    if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

function workingDirectory(image: ImageConfig, options: ContainerOptions): string {
  const directory = options.workingDir ?? (image.config?.WorkingDir || '/');
  return directory.startsWith('/') ? directory : `/${directory}`;
}

/** Names with their CAP_ prefix. `ALL` in either list means every capability that Linux has. */
function capabilitiesOf({
  privileged,
  capabilitiesAdd,
  capabilitiesDrop,
}: Pick<ContainerOptions, 'privileged' | 'capabilitiesAdd' | 'capabilitiesDrop'>): readonly string[] {
  if (privileged) return CAPABILITIES;
  const added = capabilitiesAdd.includes('ALL') ? CAPABILITIES : capabilitiesAdd.map(fullName);
  const start = capabilitiesDrop.includes('ALL') ? [] : DEFAULT_CAPABILITIES;
  const dropped = new Set(capabilitiesDrop.map(fullName));
  const names = new Set([...start.filter((name) => !dropped.has(name)), ...added]);
  for (const name of names) {
    if (!CAPABILITIES.includes(name)) throw new OciError('CONFIG_INVALID', `Unknown capability '${name}'`);
  }
  return CAPABILITIES.filter((name) => names.has(name));
}

function fullName(name: string): string {
  return name.startsWith('CAP_') ? name : `CAP_${name}`;
}

type Namespace = { readonly type: NamespaceType; readonly path?: string };

function namespaces({ network, ipc, pid }: ContainerOptions): readonly Namespace[] {
  const own: NamespaceType[] = ['mount', ...(network === 'host' ? [] : ['uts' as const]), 'cgroup'];
  const made = [...(pid === 'host' ? [] : ['pid' as const]), ...own].map((type) => ({ type }));
  return [...made, ...joined('network', network), ...joined('ipc', ipc)];
}

/** `host`: none. A path: that one. Undefined: a new one. */
function joined(type: NamespaceType, path: string | undefined): Namespace[] {
  if (path === 'host') return [];
  return [path === undefined ? { type } : { type, path }];
}

const OWN_IPC_MOUNTS: readonly Mount[] = [
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
  },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
];

/** POSIX shared memory is files: sharing it is sharing their directory. A mqueue mount shows the namespace it is made in. */
const HOST_IPC_MOUNTS: readonly Mount[] = [
  {
    destination: '/dev/shm',
    type: 'bind',
    source: '/dev/shm',
    options: ['rbind', 'rprivate', 'nosuid', 'noexec', 'nodev'],
  },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
];

function systemMounts({ privileged, network, ipc }: ContainerOptions): readonly Mount[] {
  const access = privileged ? 'rw' : 'ro';
  const sysfs: Mount =
    network === 'host'
      ? { destination: '/sys', type: 'bind', source: '/sys', options: ['bind', 'nosuid', 'noexec', 'nodev', access] }
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', access] };
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    ...(ipc === 'host' ? HOST_IPC_MOUNTS : OWN_IPC_MOUNTS),
    sysfs,
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', access],
    },
  ];
}
