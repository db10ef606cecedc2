// Workloads as commands show them: from the agent what it alone knows, from this machine their pods.
import { askAgent } from '../agent/control-client.ts';
import type { AgentStatus } from '../agent/control-protocol.ts';
import { controlSocketPath } from '../agent/places.ts';
import type { Globals } from './command.ts';
import { withHealth } from './container-health.ts';
import { listContainers, type ContainerView } from './containers.ts';
import { existingHost } from './open-host.ts';
import type { WorkloadKind } from '../spec/model.ts';

export type WorkloadView = {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  /** Absent: no source declares it (any more), or no agent is running. */
  readonly source?: string;
  readonly revision?: string;
  /** Empty while no agent is running. */
  readonly conditions: AgentStatus['workloads'][number]['conditions'];
  readonly containers: readonly ContainerView[];
};

export type Workloads = {
  /** Undefined: no agent is running. */
  readonly agent: AgentStatus | undefined;
  readonly workloads: readonly WorkloadView[];
};

/** Everything that sources keep on this machine, declared or only still there. Rejects with ControlError. */
export async function listWorkloads(globals: Globals): Promise<Workloads> {
  const agent = await askAgent(controlSocketPath(globals), { method: 'status' });
  const host = existingHost(globals);
  const kept = (host === undefined ? [] : listContainers(host)).filter(({ owner }) => owner !== 'run');
  return { agent, workloads: joined(agent?.workloads ?? [], withHealth(kept, agent?.health)) };
}

/** What the agent says and what runs, as one list. Pure. */
export function joined(known: AgentStatus['workloads'], containers: readonly ContainerView[]): WorkloadView[] {
  const byWorkload = Map.groupBy(containers, (one) => `${one.owner}/${one.namespace}/${one.workload}`);
  const told = known.map(({ workload, source, revision, conditions }): WorkloadView => {
    const key = `${workload.kind}/${workload.namespace}/${workload.name}`;
    const own = byWorkload.get(key) ?? [];
    byWorkload.delete(key);
    return {
      ...workload,
      ...(source === undefined ? {} : { source }),
      ...(revision === undefined ? {} : { revision }),
      conditions,
      containers: own,
    };
  });
  const untold = [...byWorkload.values()].flatMap((own): WorkloadView[] => {
    const [first] = own;
    if (first === undefined || first.owner === 'run') return [];
    const { owner: kind, namespace, workload: name } = first;
    return [{ kind, namespace, name, conditions: [], containers: own }];
  });
  return [...told, ...untold].sort((a, b) => compare(keyOf(a), keyOf(b)));
}

function keyOf({ namespace, name, kind }: WorkloadView): string {
  return `${namespace}/${name}/${kind}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
