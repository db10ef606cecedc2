// Read a snapshot of the machine: cgroups, network namespaces, disk. A scrape costs one look at each container.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { openCgroup } from '../linux/cgroup/cgroup.ts';
import { isErrno } from '../linux/errno.ts';
import type { Host } from '../oci/host.ts';
import { identityOf, type ContainerIdentity } from '../oci/pod/labels.ts';
import { readSandbox } from '../oci/pod/sandbox.ts';
import { readConfig } from '../oci/runtime/read-config.ts';
import { listStates, readState, type ContainerState } from '../oci/runtime/state.ts';
import { containerName, podName } from './container-name.ts';
import {
  NO_LIMITS,
  type ContainerSnapshot,
  type Limits,
  type NetworkSnapshot,
  type Snapshot,
} from './container-snapshot.ts';
import type { DiskUsage } from './disk-usage.ts';
import type { LastSeen } from './last-seen.ts';
import { deviceName, readMachine } from './machine-facts.ts';
import { parseNetDev } from './net-dev.ts';

export type SnapshotOptions = {
  readonly host: Host;
  readonly lastSeen: LastSeen;
  readonly disk: DiskUsage;
  /** Whether the container ought to run: a source declares its workload, and the workload is not as declared. */
  readonly isWanted: (identity: ContainerIdentity) => boolean;
  /** What probes say; undefined for a container without. */
  readonly isReady: (id: string) => boolean | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

/** A function that takes snapshots; what never changes about a container is read once. */
export function snapshotReader(options: SnapshotOptions): () => Snapshot {
  const { host, lastSeen, disk, isWanted } = options;
  const limitsOf = cachedLimits(host);
  const devices = new Map<string, string>();
  return () => {
    const now = options.now();
    const found = listStates(host.paths.state).flatMap((state): Found[] => {
      const identity = identityOf(state.record.labels);
      return identity === undefined ? [] : [{ state, identity }];
    });
    limitsOf.retain(found.map(({ state }) => state.record.id));
    disk.retain(new Set(found.map(({ state }) => writableDirectory(state))));
    const { isReady } = options;
    const containers = found.map((one) => readContainer(host, one, { limitsOf, disk, isReady, now }));
    nameDevices(devices, containers);
    const running = containers.filter(({ state }) => state === 'running');
    return {
      now,
      containers,
      networks: readNetworks(host, found),
      machine: { ...readMachine(host.paths.root), devices },
      missing: lastSeen.update(running, now, isWanted),
    };
  };
}

type Found = { readonly state: ContainerState; readonly identity: ContainerIdentity };
type LimitsReader = ((id: string) => Limits) & { readonly retain: (ids: readonly string[]) => void };
type ReadOptions = Pick<SnapshotOptions, 'disk' | 'isReady'> & {
  readonly limitsOf: LimitsReader;
  readonly now: number;
};

const STATES = { creating: 'created', created: 'created', running: 'running', stopped: 'exited' } as const;

function readContainer(host: Host, { state, identity }: Found, options: ReadOptions): ContainerSnapshot {
  const { record, status } = state;
  const base = { identity, labels: labelsOf(state, identity), state: STATES[status], startedAt: record.createdAt };
  const nothing = { stats: undefined, processes: undefined, limits: NO_LIMITS, writableBytes: undefined };
  if (status !== 'running') return { ...base, ...nothing, failed: false };
  try {
    const cgroup = openCgroup(host.runtime.cgroups, record.cgroupPath);
    return {
      ...base,
      stats: cgroup.stats(),
      processes: cgroup.procs().length,
      limits: options.limitsOf(record.id),
      writableBytes: options.disk.bytes(writableDirectory(state), options.now),
      failed: false,
      isReady: options.isReady(record.id),
    };
  } catch {
    // It may have ended between two reads; whatever else it is, one container must not cost the others their metrics.
    return { ...base, ...nothing, failed: readState(host.paths.state, record.id)?.status === 'running' };
  }
}

function labelsOf({ record }: ContainerState, identity: ContainerIdentity): Record<string, string> {
  const { image, namespace, pod, container } = identity;
  return { id: record.cgroupPath, name: containerName(identity), image, namespace, pod, container };
}

function writableDirectory({ record }: ContainerState): string {
  return join(record.bundle, 'upper');
}

function cachedLimits(host: Host): LimitsReader {
  const known = new Map<string, Limits>();
  const read = (id: string): Limits => {
    const limits = known.get(id) ?? readLimits(host, id);
    known.set(id, limits);
    return limits;
  };
  const retain = (ids: readonly string[]): void => {
    const kept = new Set(ids);
    for (const id of known.keys()) if (!kept.has(id)) known.delete(id);
  };
  return Object.assign(read, { retain });
}

function positive(value: number | undefined): number | undefined {
  return value === undefined || value <= 0 ? undefined : value;
}

function readLimits(host: Host, id: string): Limits {
  const { cpu, memory } = readConfig(host.runtime, id).linux?.resources ?? {};
  return {
    cpuQuotaUs: positive(cpu?.quota),
    cpuPeriodUs: positive(cpu?.quota) === undefined ? undefined : positive(cpu?.period),
    cpuShares: positive(cpu?.shares),
    memoryBytes: positive(memory?.limit),
    reservationBytes: positive(memory?.reservation),
    swapBytes: positive(memory?.swap),
  };
}

/**
 * Each network namespace once: under the container's own labels where the pod has one container, else under the pod's. Pods
 * with the machine's network have none of their own.
 */
function readNetworks(host: Host, found: readonly Found[]): NetworkSnapshot[] {
  const pods = Map.groupBy(found, ({ identity }) => identity.podUid);
  return [...pods].flatMap(([uid, members]): NetworkSnapshot[] => {
    const running = members.find(({ state }) => state.status === 'running');
    if (running === undefined || readSandbox(host, uid)?.network === 'host') return [];
    const interfaces = readInterfaces(host, running.state);
    if (interfaces === undefined) return [];
    const names = new Set(members.map(({ identity }) => identity.container));
    const labels = names.size === 1 ? labelsOf(running.state, running.identity) : podLabels(host, running.identity);
    return [{ labels, interfaces }];
  });
}

function podLabels(host: Host, identity: ContainerIdentity): Record<string, string> {
  const { namespace, pod, podUid } = identity;
  return {
    id: `${host.paths.cgroupParent}/pod-${podUid}`,
    name: podName(identity),
    image: 'berth/pod',
    namespace,
    pod,
  };
}

function readInterfaces(host: Host, { pid, record }: ContainerState): NetworkSnapshot['interfaces'] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/net/dev`, 'latin1');
    // The number may have become another process's before it was read, and so another's network.
    return readState(host.paths.state, record.id)?.pid === pid ? parseNetDev(text) : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EINVAL')) return undefined;
    throw error;
  }
}

function nameDevices(devices: Map<string, string>, containers: readonly ContainerSnapshot[]): void {
  for (const { major, minor } of containers.flatMap(({ stats }) => stats?.io ?? [])) {
    const numbers = `${major}:${minor}`;
    if (!devices.has(numbers)) devices.set(numbers, deviceName(major, minor));
  }
}
