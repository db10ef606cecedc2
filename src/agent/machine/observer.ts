// What runs on this machine, as the reconciler sees it: read from the records on disk at every look, nothing remembered.
import { join } from 'node:path';

import type { Host } from '../../oci/host.ts';
import { isComplete } from '../../oci/image/resolve.ts';
import { identityOf, type ContainerIdentity } from '../../oci/pod/labels.ts';
import { isReady, listSandboxes, type Sandbox } from '../../oci/pod/sandbox.ts';
import { listStates, type ContainerState } from '../../oci/runtime/state.ts';
import { shellExitCode } from '../../linux/siginfo.ts';
import type { ContainerHealth } from '../../reconcile/probe-state.ts';
import type { ActualContainer, ActualPod, Observer, WorkloadId } from '../../reconcile/effects.ts';
import { listRunRecords, readRunRecord } from '../../reconcile/run-files.ts';
import { imageByDigest } from './images.ts';
import { writtenVolumes } from './volume/pod-volumes.ts';

type Found = { readonly state: ContainerState; readonly identity: ContainerIdentity };

/** What the probes of a container say; undefined where it has none. */
export type HealthOf = (id: string) => ContainerHealth | undefined;

/** An observer of the pods that sources keep. Containers of `berth run` are not the reconciler's. */
export function openObserver(host: Host, healthOf: HealthOf = () => undefined): Observer {
  const runs = runDirectory(host);
  return {
    workloads: async () => distinct([...podsOf(host).map((pod) => pod.workload), ...(await listRunRecords(runs))]),
    run: (workload) => readRunRecord(runs, workload),
    pods: (workload, podNames) => {
      const wanted = (pod: ActualPod): boolean =>
        isSame(pod.workload, workload) || (pod.namespace === workload.namespace && podNames.includes(pod.name));
      return Promise.resolve(
        podsOf(host)
          .filter(wanted)
          .map((pod) => withHealth(pod, healthOf)),
      );
    },
    hasImage: (digest) => {
      const image = imageByDigest(host, digest);
      return Promise.resolve(image !== undefined && isComplete(image, host.content, host.layers));
    },
  };
}

/** Where it is kept what workloads that come to an end have done. */
export function runDirectory(host: Host): string {
  return join(host.paths.root, 'runs');
}

function withHealth(pod: ActualPod, healthOf: HealthOf): ActualPod {
  const containers = pod.containers.map((container) => {
    const health = container.state === 'running' ? healthOf(container.id) : undefined;
    return health === undefined ? container : { ...container, health };
  });
  return { ...pod, containers };
}

/** Every pod that a source keeps, with its containers, oldest first. */
export function podsOf(host: Host): ActualPod[] {
  const containers = listStates(host.paths.state).flatMap((state): Found[] => {
    const identity = identityOf(state.record.labels);
    return identity === undefined || identity.owner === 'run' ? [] : [{ state, identity }];
  });
  const sandboxes = listSandboxes(host).filter(({ owner }) => owner !== 'run');
  return sandboxes.map((sandbox) =>
    toPod(
      host,
      sandbox,
      containers.filter(({ identity }) => identity.podUid === sandbox.uid),
    ),
  );
}

function toPod(host: Host, sandbox: Sandbox, containers: readonly Found[]): ActualPod {
  return {
    workload: workloadOf(sandbox),
    namespace: sandbox.namespace,
    name: sandbox.name,
    uid: sandbox.uid,
    hash: sandbox.hash,
    volumes: writtenVolumes(host, sandbox.uid),
    graceSeconds: sandbox.graceSeconds,
    sandbox: isReady(sandbox) ? 'ready' : 'broken',
    containers: containers.map(toContainer),
  };
}

/** The workload of a sandbox that a source keeps. */
export function workloadOf({
  owner,
  namespace,
  workload,
}: Pick<Sandbox, 'owner' | 'namespace' | 'workload'>): WorkloadId {
  return { kind: owner === 'run' ? 'Pod' : owner, namespace, name: workload };
}

const STATES = { creating: 'created', created: 'created', running: 'running', stopped: 'exited' } as const;

function toContainer({ state, identity }: Found): ActualContainer {
  const { record, status, exit, finishedAt } = state;
  return {
    name: identity.container,
    role: identity.role,
    id: record.id,
    hash: identity.hash,
    state: STATES[status],
    startedAt: record.createdAt,
    finishedAt,
    exitCode: exit === undefined ? undefined : shellExitCode(exit),
    history: { restarts: identity.restarts, crashes: identity.crashes },
  };
}

function isSame(a: WorkloadId, b: WorkloadId): boolean {
  return a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
}

function distinct(ids: readonly WorkloadId[]): WorkloadId[] {
  return [...new Map(ids.map((id) => [`${id.kind} ${id.namespace}/${id.name}`, id])).values()];
}
