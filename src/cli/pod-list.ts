// Pods as commands show them: their containers, gathered. Pure.
import type { ContainerView } from './containers.ts';
import type { WorkloadView } from './workload-list.ts';

export type PodView = {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly workload: string;
  /** Containers that run, of all that there are. */
  readonly running: number;
  readonly containers: number;
  /** Containers that run and whose probes, if there are any, say that they are ready. */
  readonly ready: number;
  /** Of all its containers. */
  readonly restarts: number;
  /** RFC 3339: of its oldest container. */
  readonly createdAt: string;
  readonly ip?: string;
};

/** Every pod of the workloads that has a container, in their order. */
export function listPods(workloads: readonly WorkloadView[]): PodView[] {
  return workloads.flatMap(({ kind, name, containers }) => {
    const pods = Map.groupBy(containers, ({ podUid }) => podUid);
    return [...pods.values()].flatMap((members) => podOf(members, `${kind}/${name}`));
  });
}

function podOf(members: readonly ContainerView[], workload: string): PodView[] {
  const [oldest] = members;
  if (oldest === undefined) return [];
  return [
    {
      namespace: oldest.namespace,
      name: oldest.pod,
      uid: oldest.podUid,
      workload,
      running: members.filter(({ status }) => status === 'running').length,
      containers: members.length,
      ready: members.filter(({ status, ready }) => status === 'running' && ready !== false).length,
      restarts: members.reduce((sum, { restarts }) => sum + restarts, 0),
      createdAt: oldest.createdAt,
      ...(oldest.ip === undefined ? {} : { ip: oldest.ip }),
    },
  ];
}
