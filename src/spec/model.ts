// What the user wants, normalised: the one shape that Kubernetes YAML (and later Compose files) turn into.
// Every default is already filled in; every name is already validated. Plain data, comparable and hashable.
import type { HealthSpec } from './health.ts';
import type { ResourceField } from './resource-field.ts';

/** Where a value stands in the text that the user wrote. Lines and columns count from 1. */
export type Position = { readonly file: string; readonly line: number; readonly column: number };

/** Everything one source declares at one revision. */
export type Desired = {
  readonly workloads: readonly Workload[];
  readonly configMaps: readonly ConfigData[];
  readonly secrets: readonly ConfigData[];
  readonly claims: readonly Claim[];
  readonly services: readonly Service[];
};

/** One address for the ready pods of its namespace that have all labels of `selector`. */
export type Service = {
  readonly namespace: string;
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly ServicePort[];
  readonly position: Position;
};

export type ServicePort = {
  readonly port: number;
  /** A number, or the name of a container's port. */
  readonly targetPort: number | string;
  /** Also that port of every address of this machine. */
  readonly nodePort: number | undefined;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
};

/** A PersistentVolumeClaim: a named directory of this machine that no pod takes with it. */
export type Claim = { readonly namespace: string; readonly name: string; readonly position: Position };

/** A ConfigMap or a Secret: keys to bytes (`data`, `binaryData` and `stringData` merged). */
export type ConfigData = {
  readonly namespace: string;
  readonly name: string;
  readonly entries: ReadonlyMap<string, Uint8Array>;
  readonly immutable: boolean;
  readonly position: Position;
};

/** The kinds that keep pods. */
export const WORKLOAD_KINDS = ['Pod', 'Deployment', 'DaemonSet', 'StatefulSet', 'Job'] as const;

export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

/** Whether berth keeps pods for this kind. */
export function isWorkloadKind(kind: string | undefined): kind is WorkloadKind {
  return WORKLOAD_KINDS.some((known) => known === kind);
}

/** Pods that are kept under one name: for ever, or (Job) until they have done their work. */
export type Workload = {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** 1 for a Pod. */
  readonly replicas: number;
  readonly pod: PodSpec;
  /** Of a Job alone. */
  readonly job?: JobSpec;
  /** Pods come, change and go one after the other. */
  readonly isOrdered?: boolean;
  readonly position: Position;
};

/** What a Job asks of its pods; `replicas` of its workload is how many of them must end well. */
export type JobSpec = {
  /** How many run side by side. */
  readonly parallelism: number;
  /** How many failures are too many when one more comes. */
  readonly backoffLimit: number;
  /** From the first start. */
  readonly activeDeadlineSeconds: number | undefined;
  /** What is left of the pods goes so long after the end. Undefined: when the Job is no longer declared. */
  readonly ttlSecondsAfterFinished: number | undefined;
  readonly suspend: boolean;
};

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

export type PodSpec = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The pod's name where not given. */
  readonly hostname: string | undefined;
  readonly hostNetwork: boolean;
  /** The machine's processes are in view. */
  readonly hostPID: boolean;
  /** The machine's System V IPC, message queues and /dev/shm. */
  readonly hostIPC: boolean;
  /** More lines of /etc/hosts. */
  readonly hostAliases: readonly HostAlias[];
  readonly dns: PodDns;
  /** Kernel parameters of the pod's own network and IPC namespaces. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly restartPolicy: RestartPolicy;
  readonly terminationGracePeriodSeconds: number;
  /** In the order in which they start: init containers and sidecars as they are declared, then the others. */
  readonly containers: readonly ContainerSpec[];
  readonly volumes: readonly Volume[];
  /** Who owns what is in the pod's own volumes: not in host paths. */
  readonly fsGroup?: FsGroup;
};

/** `OnRootMismatch`: a volume whose top belongs to the group is left as it is. */
export type FsGroup = { readonly gid: number; readonly policy: 'Always' | 'OnRootMismatch' };

export type HostAlias = { readonly ip: string; readonly hostnames: readonly string[] };

/** /etc/resolv.conf: the machine's (`Default`) or nothing (`None`), and then what is added to it. */
export type PodDns = {
  readonly policy: 'Default' | 'None';
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  /** As resolv.conf(5) has them: `ndots:2`. */
  readonly options: readonly string[];
};

/**
 * `init` runs to its end before the next container starts. `sidecar` (an init container with restartPolicy Always) starts in its
 * turn, and runs until the others have ended. `main` is what the pod is for.
 */
export type ContainerRole = 'init' | 'sidecar' | 'main';

export type ContainerSpec = {
  readonly name: string;
  readonly role: ContainerRole;
  /** As written; `oci/image/reference.ts` parses it. */
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** Replaces the image's Entrypoint (and its Cmd) when given. May contain `$(VAR)`. */
  readonly command: readonly string[] | undefined;
  /** Replaces the image's Cmd when given. May contain `$(VAR)`. */
  readonly args: readonly string[] | undefined;
  readonly workingDir: string | undefined;
  /** `envFrom` first, then `env`, in the order written: a later entry wins. */
  readonly env: readonly EnvEntry[];
  readonly ports: readonly ContainerPort[];
  readonly volumeMounts: readonly VolumeMount[];
  readonly resources: Resources;
  readonly security: Security;
  /** Absent: no probe and no lifecycle hook. */
  readonly health?: HealthSpec;
  readonly position: Position;
};

export type EnvEntry =
  | { readonly from: 'value'; readonly name: string; readonly value: string }
  | { readonly from: 'field'; readonly name: string; readonly fieldPath: string }
  | { readonly from: 'resource'; readonly name: string; readonly resource: ResourceField; readonly divisor: number }
  | { readonly from: 'key'; readonly name: string; readonly source: ConfigReference; readonly key: string }
  | { readonly from: 'all'; readonly prefix: string; readonly source: ConfigReference };

export type ConfigReference = {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly optional: boolean;
  readonly position: Position;
};

export type ContainerPort = {
  readonly name: string | undefined;
  readonly containerPort: number;
  readonly hostPort: number | undefined;
  readonly hostIP: string | undefined;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
};

export type VolumeMount = {
  readonly volume: string;
  readonly mountPath: string;
  readonly subPath: string | undefined;
  /** Instead of `subPath`: with `$(VAR)` of the container's environment. */
  readonly subPathExpr?: string;
  readonly readOnly: boolean;
  /** Whether later mounts show on the other side: from the machine's to the container's, or both ways. Default: neither. */
  readonly mountPropagation?: 'HostToContainer' | 'Bidirectional';
  /** `readOnly` holds for all mounts below too where this is not said. */
  readonly recursiveReadOnly?: 'Disabled';
};

/** Limits as the kernel wants them. Undefined means unlimited. */
export type Resources = {
  /** Thousandths of a core, from `limits.cpu`. */
  readonly cpuLimitMillis: number | undefined;
  /** Thousandths of a core, from `requests.cpu` (else from the limit): the weight under contention. */
  readonly cpuRequestMillis: number | undefined;
  readonly memoryLimitBytes: number | undefined;
  readonly memoryRequestBytes: number | undefined;
  /** From `limits.pids`; the runtime has a default when undefined. */
  readonly pidsLimit: number | undefined;
};

export type Security = {
  readonly runAsUser: number | undefined;
  readonly runAsGroup: number | undefined;
  readonly runAsNonRoot: boolean;
  readonly supplementalGroups: readonly number[];
  /** Names without `CAP_`; `ALL` allowed. */
  readonly capabilitiesAdd: readonly string[];
  readonly capabilitiesDrop: readonly string[];
  readonly privileged: boolean;
  readonly readOnlyRootFilesystem: boolean;
  /** False sets no_new_privs: berth's default (docs/manifests.md). */
  readonly allowPrivilegeEscalation: boolean;
  readonly seccomp: 'RuntimeDefault' | 'Unconfined';
};

export type Volume =
  | {
      readonly kind: 'emptyDir';
      readonly name: string;
      readonly medium: '' | 'Memory';
      readonly sizeLimitBytes: number | undefined;
    }
  | { readonly kind: 'hostPath'; readonly name: string; readonly path: string; readonly type: HostPathType }
  /** The volume of the PersistentVolumeClaim `claim` of the pod's namespace; with `perPod` of `claim-ORDINAL`. */
  | {
      readonly kind: 'claim';
      readonly name: string;
      readonly claim: string;
      readonly readOnly: boolean;
      readonly perPod?: boolean;
    }
  | {
      readonly kind: 'config';
      readonly name: string;
      readonly source: ConfigReference;
      readonly defaultMode: number;
      /** Undefined: every key becomes a file of its own name. */
      readonly items: readonly ConfigItem[] | undefined;
    };

export type ConfigItem = { readonly key: string; readonly path: string; readonly mode: number | undefined };

export type HostPathType =
  '' | 'Directory' | 'DirectoryOrCreate' | 'File' | 'FileOrCreate' | 'Socket' | 'CharDevice' | 'BlockDevice';
