// What the containers of this machine use at one moment. Plain data: metrics are made of it without any further look.
import type { CgroupStats } from '../linux/cgroup/stats.ts';
import type { ContainerIdentity } from '../oci/pod/labels.ts';
import type { InterfaceCounts } from './net-dev.ts';
import type { Labels } from './snapshot-metric.ts';

export type Snapshot = {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly containers: readonly ContainerSnapshot[];
  /** One a network namespace of its own, never two. */
  readonly networks: readonly NetworkSnapshot[];
  readonly machine: MachineSnapshot;
  /** Containers that ought to run and do not: when each was last seen. */
  readonly missing: readonly { readonly labels: Labels; readonly lastSeen: number }[];
};

export type ContainerSnapshot = {
  readonly identity: ContainerIdentity;
  /** `id, name, image, namespace, pod, container`. */
  readonly labels: Labels;
  readonly state: 'created' | 'running' | 'exited';
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Undefined unless it runs, and when it could not be read. */
  readonly stats: CgroupStats | undefined;
  readonly processes: number | undefined;
  readonly limits: Limits;
  /** Bytes of the writable layer, when they were last counted. */
  readonly writableBytes: number | undefined;
  readonly failed: boolean;
  /** Undefined: it has no probes, or does not run. */
  readonly isReady?: boolean | undefined;
};

/** As config.json has them. Undefined: none. */
export type Limits = {
  readonly cpuQuotaUs: number | undefined;
  readonly cpuPeriodUs: number | undefined;
  readonly cpuShares: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly reservationBytes: number | undefined;
  readonly swapBytes: number | undefined;
};

export const NO_LIMITS: Limits = {
  cpuQuotaUs: undefined,
  cpuPeriodUs: undefined,
  cpuShares: undefined,
  memoryBytes: undefined,
  reservationBytes: undefined,
  swapBytes: undefined,
};

export type NetworkSnapshot = { readonly labels: Labels; readonly interfaces: readonly InterfaceCounts[] };

export type MachineSnapshot = {
  readonly cpuCores: number;
  readonly cpuSeconds: { readonly user: number; readonly system: number };
  readonly memoryBytes: number;
  readonly memoryFreeBytes: number;
  readonly memoryAvailableBytes: number;
  readonly swapBytes: number;
  readonly interfaces: readonly InterfaceCounts[];
  /** The file system below `--root`. */
  readonly disk: { readonly device: string; readonly sizeBytes: number; readonly usedBytes: number };
  /** `8:0` → `/dev/sda`, for the devices that containers used. */
  readonly devices: ReadonlyMap<string, string>;
};
