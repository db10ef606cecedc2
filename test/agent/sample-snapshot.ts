// A machine with containers, as a snapshot: what the golden metrics are made of.
import { NO_LIMITS, type ContainerSnapshot, type Snapshot } from '../../src/agent/container-snapshot.ts';
import type { CgroupStats } from '../../src/linux/cgroup/stats.ts';
import type { ContainerIdentity } from '../../src/oci/pod/labels.ts';
import { containerName } from '../../src/agent/container-name.ts';

export const NOW: number = Date.parse('2026-01-02T03:04:05Z');

export function sampleIdentity(overrides: Partial<ContainerIdentity> = {}): ContainerIdentity {
  return {
    namespace: 'default',
    pod: 'web-0',
    podUid: 'uid-web-0',
    container: 'nginx',
    role: 'main',
    owner: 'Deployment',
    workload: 'web',
    hash: 'hash',
    image: 'docker.io/library/nginx:1.27',
    imageDigest: 'sha256:feed',
    restarts: 2,
    crashes: 0,
    ...overrides,
  };
}

export const STATS: CgroupStats = {
  cpu: {
    usageNs: 1_500_000_000,
    userNs: 1_000_000_000,
    systemNs: 500_000_000,
    periods: 10,
    throttledPeriods: 3,
    throttledNs: 250_000_000,
  },
  memory: {
    usageBytes: 30_000_000,
    workingSetBytes: 20_000_000,
    rssBytes: 15_000_000,
    cacheBytes: 12_000_000,
    mappedFileBytes: 1_000_000,
    swapBytes: 0,
    peakBytes: 40_000_000,
    limitBytes: 64_000_000,
    failures: 1,
    oomKills: 0,
    pageFaults: 100,
    majorPageFaults: 2,
  },
  pids: { current: 5, limit: 4096 },
  io: [{ major: 8, minor: 0, readBytes: 4096, writeBytes: 8192, readOperations: 1, writeOperations: 2 }],
  pressure: {
    cpu: { waitingUs: 1_000_000, stalledUs: 0 },
    memory: { waitingUs: 0, stalledUs: 0 },
    io: { waitingUs: 500_000, stalledUs: 250_000 },
  },
};

export function sampleContainer(
  id: string,
  overrides: Partial<ContainerSnapshot> & { readonly of?: Partial<ContainerIdentity> } = {},
): ContainerSnapshot {
  const { of, ...rest } = overrides;
  const identity = sampleIdentity(of);
  const { image, namespace, pod, container } = identity;
  return {
    identity,
    labels: { id: `/berth/${id}`, name: containerName(identity), image, namespace, pod, container },
    state: 'running',
    startedAt: NOW - 60_000,
    stats: STATS,
    processes: 3,
    limits: NO_LIMITS,
    writableBytes: 12_288,
    failed: false,
    ...rest,
  };
}

export function sampleSnapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  const interfaces = [
    {
      name: 'eth0',
      receive: { bytes: 1000, packets: 10, errors: 0, dropped: 1 },
      transmit: { bytes: 2000, packets: 20, errors: 0, dropped: 0 },
    },
  ];
  return {
    now: NOW,
    containers: [],
    networks: [],
    machine: {
      cpuCores: 2,
      cpuSeconds: { user: 100, system: 50 },
      memoryBytes: 4_000_000_000,
      memoryFreeBytes: 1_000_000_000,
      memoryAvailableBytes: 3_000_000_000,
      swapBytes: 0,
      interfaces,
      disk: { device: '/dev/vda', sizeBytes: 100_000_000_000, usedBytes: 40_000_000_000 },
      devices: new Map([['8:0', '/dev/sda']]),
    },
    missing: [],
    ...overrides,
  };
}
