// What the reconciler asks of the machine: observe it, and change it. Types only; the agent implements them over src/oci.
import type { RunRecord } from './run-record.ts';
import type { ContainerHealth } from './probe-state.ts';
import type { ConfigData, ContainerRole, ContainerSpec, PodSpec, WorkloadKind } from '../spec/model.ts';

/** Names one workload on this machine. */
export type WorkloadId = { readonly kind: WorkloadKind; readonly namespace: string; readonly name: string };

/** An image reference and the digest of the platform's manifest that it stood for when it was resolved. */
export type ResolvedImage = { readonly reference: string; readonly digest: string };

/** A pod as it shall be. `uid` follows from namespace, name and `hash`: another sandbox is another uid. */
export type DesiredPod = {
  readonly workload: WorkloadId;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Covers what needs a new sandbox when it changes: host network, host name, published ports, emptyDir volumes. */
  readonly hash: string;
  /** Covers what the pod's config volumes are to hold, which reaches running containers. Absent without such volumes. */
  readonly volumes?: string | undefined;
  readonly spec: PodSpec;
  readonly containers: readonly DesiredContainer[];
  /** The ConfigMaps and Secrets of the pod's namespace that the pod refers to and that exist. */
  readonly configMaps: readonly ConfigData[];
  readonly secrets: readonly ConfigData[];
};

export type DesiredContainer = {
  readonly name: string;
  /** Covers the template, the image digest and the content that the container only gets at its start. */
  readonly hash: string;
  readonly image: ResolvedImage;
  readonly spec: ContainerSpec;
};

/** A pod as found on this machine: a sandbox (running or not) and the containers in it. */
export type ActualPod = {
  readonly workload: WorkloadId;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** `DesiredPod.hash` at creation. */
  readonly hash: string;
  /** `DesiredPod.volumes` when the files were last written. Absent where none were. */
  readonly volumes?: string | undefined;
  /** `DesiredPod.spec.terminationGracePeriodSeconds` at creation. */
  readonly graceSeconds: number;
  /** `broken`: the sandbox has lost what it needs (its network namespace, another boot): nothing can start in it. */
  readonly sandbox: 'ready' | 'broken';
  readonly containers: readonly ActualContainer[];
};

export type ActualContainer = {
  readonly name: string;
  readonly role: ContainerRole;
  readonly id: string;
  /** `DesiredContainer.hash` at creation. */
  readonly hash: string;
  readonly state: 'created' | 'running' | 'exited';
  /** Milliseconds since the epoch. */
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** 128 + n after signal n. Undefined while it runs, and when nobody saw the end. */
  readonly exitCode: number | undefined;
  /** Absent for a container without probes, and when it does not run. */
  readonly health?: ContainerHealth;
  readonly history: RestartHistory;
};

/** Kept with a container, so that back-off survives the agent. The planner computes it, effects store it. */
export type RestartHistory = {
  /** How often a container of this name and hash has been started again. */
  readonly restarts: number;
  /** How many of the runs just before this one ended early, in a row. */
  readonly crashes: number;
};

/** What each kind of step is given. */
export type StepArguments = {
  /** Fetch and unpack, so that `Observer.hasImage` is true afterwards. */
  pullImage: { readonly image: ResolvedImage; readonly pod: DesiredPod };
  /** Namespaces, network, published ports, emptyDir volumes, record. */
  createSandbox: { readonly pod: DesiredPod };
  /** The files of ConfigMaps and Secrets in volumes, changed at once below the containers that run. */
  updateVolumes: { readonly pod: DesiredPod };
  /** Create and start: done when the process has been executed. */
  startContainer: {
    readonly pod: DesiredPod;
    readonly container: DesiredContainer;
    readonly history: RestartHistory;
  };
  /** SIGTERM (or the image's StopSignal), `graceSeconds`, SIGKILL: done when it has ended. */
  stopContainer: { readonly pod: ActualPod; readonly container: ActualContainer; readonly graceSeconds: number };
  /** Writable layer, state and cgroup go; logs may stay. */
  removeContainer: { readonly pod: ActualPod; readonly container: ActualContainer };
  /** Network, ports, emptyDir volumes and the record go. */
  removeSandbox: { readonly pod: ActualPod };
  /** Keep what is done of a workload that comes to an end, before what tells of it goes. Undefined: forget it. */
  recordRun: { readonly workload: WorkloadId; readonly record: RunRecord | undefined };
  /** Nothing is done: the steps after this one are only done when a new look says so. */
  lookAgain: { readonly pod: DesiredPod };
};

export type StepKind = keyof StepArguments;
export type Step<K extends StepKind = StepKind> = {
  [P in K]: { readonly do: P; readonly why: string } & StepArguments[P];
}[K];

/**
 * One function per step kind that acts. Each is idempotent, and safe to repeat after a crash at any point: a fulfilled promise
 * means "it is so now", not "because of this call". Each rejects with an Error whose `code` classify.ts judges, and
 * gives up soon after `signal` aborts.
 */
export type Effects = {
  readonly [K in Exclude<StepKind, 'lookAgain'>]: (step: Step<K>, signal: AbortSignal) => Promise<void>;
};

/** What the reconciler may ask of the machine. Reading changes nothing. */
export interface Observer {
  /** Every workload that has a pod on this machine, in any state, or of which is recorded what is done. */
  workloads(): Promise<readonly WorkloadId[]>;
  /** The pods of `workload`, and pods of any other workload that bear one of `podNames` in its namespace. */
  pods(workload: WorkloadId, podNames: readonly string[]): Promise<readonly ActualPod[]>;
  /** What is recorded of a workload that comes to an end. Rejects when the record cannot be read. */
  run(workload: WorkloadId): Promise<RunRecord | undefined>;
  /** Whether a container can be started from this image manifest with no network: fetched, verified and unpacked. */
  hasImage(digest: string): Promise<boolean>;
}

export type ImageRequest = {
  readonly reference: string;
  /** `Never`: only the local store. `IfNotPresent`: the local store, else the registry. `Always`: the registry. */
  readonly policy: ContainerSpec['imagePullPolicy'];
};

export interface Images {
  /** The digest that the reference stands for now (platform manifest). Rejects when it cannot be known. */
  resolve(request: ImageRequest, signal: AbortSignal): Promise<string>;
  /** Bring an `*.oci.tar` or an OCI layout directory that came with a source into the local store. */
  importFile(path: string, signal: AbortSignal): Promise<void>;
}

/** Time, passed in so that tests own it. Milliseconds since the epoch; a timer is cancelled by disposing it. */
export interface Clock {
  now(): number;
  setTimer(delayMs: number, callback: () => void): Disposable;
}
