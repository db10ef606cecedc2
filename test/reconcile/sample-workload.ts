// Workloads, pods and containers for tests: every field has a plain value, and a test names the ones it is about.
import type { ContainerSpec, Desired, PodSpec, Position, Workload } from '../../src/spec/model.ts';
import type { ActualContainer, ActualPod, DesiredPod } from '../../src/reconcile/effects.ts';
import { desiredPods, imageRequests } from '../../src/reconcile/desired-pods.ts';

export const position: Position = { file: 'web.yaml', line: 1, column: 1 };

export function sampleContainer(overrides: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    name: 'main',
    role: 'main',
    image: 'example.test/web:1',
    imagePullPolicy: 'IfNotPresent',
    command: undefined,
    args: undefined,
    workingDir: undefined,
    env: [],
    ports: [],
    volumeMounts: [],
    resources: {
      cpuLimitMillis: undefined,
      cpuRequestMillis: undefined,
      memoryLimitBytes: undefined,
      memoryRequestBytes: undefined,
      pidsLimit: undefined,
    },
    security: {
      runAsUser: undefined,
      runAsGroup: undefined,
      runAsNonRoot: false,
      supplementalGroups: [],
      capabilitiesAdd: [],
      capabilitiesDrop: [],
      privileged: false,
      readOnlyRootFilesystem: false,
      allowPrivilegeEscalation: false,
      seccomp: 'RuntimeDefault',
    },
    position,
    ...overrides,
  };
}

export function samplePod(overrides: Partial<PodSpec> = {}): PodSpec {
  return {
    labels: {},
    annotations: {},
    hostname: undefined,
    hostNetwork: false,
    hostPID: false,
    hostIPC: false,
    hostAliases: [],
    dns: { policy: 'Default', nameservers: [], searches: [], options: [] },
    sysctls: {},
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    containers: [sampleContainer()],
    volumes: [],
    ...overrides,
  };
}

export function sampleWorkload(overrides: Partial<Workload> = {}): Workload {
  return {
    kind: 'Pod',
    namespace: 'default',
    name: 'web',
    labels: {},
    annotations: {},
    replicas: 1,
    pod: samplePod(),
    position,
    ...overrides,
  };
}

export function sampleDesired(...workloads: Workload[]): Desired {
  return { workloads, configMaps: [], secrets: [], claims: [], services: [] };
}

/** A digest that follows from the reference: `example.test/web:1` → `sha256:example.test/web:1`. */
export function digestOf(reference: string): string {
  return `sha256:${reference}`;
}

/** The desired pods of a workload, each image resolved by `digestOf`. */
export function podsOf(workload: Workload, desired: Desired = sampleDesired(workload)): DesiredPod[] {
  const digests = new Map(imageRequests(workload).map(({ reference }) => [reference, digestOf(reference)]));
  return desiredPods({ workload, digests, desired });
}

/** What `pod` looks like when it has been running since `startedAt`. */
export function runningPod(pod: DesiredPod, startedAt = 0): ActualPod {
  return {
    workload: pod.workload,
    namespace: pod.namespace,
    name: pod.name,
    uid: pod.uid,
    hash: pod.hash,
    graceSeconds: pod.spec.terminationGracePeriodSeconds,
    sandbox: 'ready',
    containers: pod.containers.map(({ name, hash, spec }) => ({
      name,
      role: spec.role,
      id: `${pod.name}-${name}`,
      hash,
      state: 'running',
      startedAt,
      finishedAt: undefined,
      exitCode: undefined,
      history: { restarts: 0, crashes: 0 },
    })),
  };
}

/** `pod` with its container `name` changed. */
export function withContainer(pod: ActualPod, name: string, change: Partial<ActualContainer>): ActualPod {
  const containers = pod.containers.map((one) => (one.name === name ? { ...one, ...change } : one));
  return { ...pod, containers };
}
