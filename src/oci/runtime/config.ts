// config.json of the OCI runtime specification 1.3, as far as the runtime acts on it (config.md, config-linux.md).
import type { CgroupDeviceRule, CgroupResources } from '../../linux/cgroup/resources.ts';

export type RuntimeConfig = {
  readonly ociVersion: string;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly root: { readonly path: string; readonly readonly?: boolean };
  readonly process?: Process;
  readonly mounts?: readonly Mount[];
  readonly hooks?: Hooks;
  readonly linux?: Linux;
  readonly annotations?: Readonly<Record<string, string>>;
};

export type Process = {
  readonly terminal?: boolean;
  /** Size of the terminal in characters. */
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: User;
  readonly args: readonly string[];
  readonly env?: readonly string[];
  readonly cwd: string;
  readonly capabilities?: Partial<Record<CapabilitySet, readonly string[]>>;
  readonly rlimits?: readonly { readonly type: string; readonly soft: number; readonly hard: number }[];
  readonly noNewPrivileges?: boolean;
  readonly oomScoreAdj?: number;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly scheduler?: Scheduler;
  readonly ioPriority?: { readonly class: string; readonly priority?: number };
  /** berth's own: the program is a child of a first process that forwards signals and reaps: see init-operations.ts. */
  readonly init?: boolean;
  /** Lists of processors as in `0-3,7`: before a process of `exec` joins the cgroup, and after. The first process has none. */
  readonly execCPUAffinity?: { readonly initial?: string; readonly final?: string };
};

/** sched_setattr(2). Times are nanoseconds. */
export type Scheduler = {
  readonly policy: string;
  readonly nice?: number;
  readonly priority?: number;
  readonly flags?: readonly string[];
  readonly runtime?: number;
  readonly deadline?: number;
  readonly period?: number;
};

/** config.md, "POSIX-platform Hooks". */
export type Hooks = Partial<Record<HookName, readonly Hook[]>>;

export type HookName = 'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart' | 'poststop';

export type Hook = {
  readonly path: string;
  /** With its name, as execve(2) has it. */
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
};

export type CapabilitySet = 'bounding' | 'effective' | 'inheritable' | 'permitted' | 'ambient';

export type User = {
  readonly uid: number;
  readonly gid: number;
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
};

export type Mount = {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[];
  /** Of `idmap` and `ridmap`; without them the container's own. */
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  /** berth's own, of bind mounts: a path below `source`, reached without following any link (Kubernetes' subPath). */
  readonly subPath?: string;
};

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time';

export type Linux = {
  readonly namespaces?: readonly { readonly type: NamespaceType; readonly path?: string }[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  readonly timeOffsets?: Readonly<Record<string, { readonly secs?: number; readonly nanosecs?: number }>>;
  /** Host name of the device → what it is called inside. */
  readonly netDevices?: Readonly<Record<string, { readonly name?: string }>>;
  readonly memoryPolicy?: MemoryPolicy;
  readonly personality?: { readonly domain: string; readonly flags?: readonly string[] };
  readonly intelRdt?: object;
  readonly cgroupsPath?: string;
  readonly resources?: Resources;
  readonly devices?: readonly Device[];
  readonly seccomp?: Seccomp;
  readonly rootfsPropagation?: string;
  readonly mountLabel?: string;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly sysctl?: Readonly<Record<string, string>>;
};

/** `size` ids from `containerID` on inside are those from `hostID` on outside. */
export type IdMapping = { readonly containerID: number; readonly hostID: number; readonly size: number };

/** set_mempolicy(2): `nodes` is a list as in `0-1,3`. */
export type MemoryPolicy = { readonly mode: string; readonly nodes?: string; readonly flags?: readonly string[] };

export type Device = {
  readonly type: 'c' | 'b' | 'u' | 'p';
  readonly path: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
};

/** Limits of config-linux.md, "Control groups". Numbers are bytes, microseconds or counts, as the spec has them. */
export type Resources = CgroupResources;

export type DeviceRule = CgroupDeviceRule;

/** config-linux.md, "Seccomp". */
export type Seccomp = {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  /** The socket to which the descriptor goes that calls of SCMP_ACT_NOTIFY are asked about at. */
  readonly listenerPath?: string;
  /** Sent along. */
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly SeccompRule[];
};

export type SeccompAction =
  | 'SCMP_ACT_KILL'
  | 'SCMP_ACT_KILL_THREAD'
  | 'SCMP_ACT_KILL_PROCESS'
  | 'SCMP_ACT_TRAP'
  | 'SCMP_ACT_ERRNO'
  | 'SCMP_ACT_NOTIFY'
  | 'SCMP_ACT_TRACE'
  | 'SCMP_ACT_ALLOW'
  | 'SCMP_ACT_LOG';

export type SeccompRule = {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
};

export type SeccompArgument = {
  readonly index: number;
  readonly value: number | bigint;
  readonly valueTwo?: number | bigint;
  readonly op:
    | 'SCMP_CMP_NE'
    | 'SCMP_CMP_LT'
    | 'SCMP_CMP_LE'
    | 'SCMP_CMP_EQ'
    | 'SCMP_CMP_GE'
    | 'SCMP_CMP_GT'
    | 'SCMP_CMP_MASKED_EQ';
};
