// What the agent knows of the health of containers, joined to what this machine shows of them.
import type { AgentStatus } from '../agent/control-protocol.ts';
import { controlSocketPath } from '../agent/places.ts';
import { healthOfLabels } from '../agent/probe/health-label.ts';
import type { Host } from '../oci/host.ts';
import { listStates } from '../oci/runtime/state.ts';
import type { Globals } from './command.ts';
import type { ContainerView } from './containers.ts';

/** The containers with what their probes say. Pure. */
export function withHealth(containers: readonly ContainerView[], health: AgentStatus['health']): ContainerView[] {
  const known = new Map((health ?? []).map((one) => [one.id, one]));
  return containers.map((container) => {
    const found = known.get(container.id);
    if (found === undefined || container.status !== 'running') return container;
    const { ready, problem } = found;
    return { ...container, ready, ...(problem === undefined ? {} : { problem }) };
  });
}

/** The same, asking the agent only where a container has probes: most machines need no answer. Rejects with ControlError. */
export async function askHealth(
  globals: Globals,
  host: Host,
  containers: readonly ContainerView[],
): Promise<readonly ContainerView[]> {
  if (!listStates(host.paths.state).some(({ record }) => hasProbes(record.labels))) return containers;
  const { askAgent } = await import('../agent/control-client.ts');
  const agent = await askAgent(controlSocketPath(globals), { method: 'status' });
  return withHealth(containers, agent?.health);
}

function hasProbes(labels: Readonly<Record<string, string>>): boolean {
  const { startup, readiness, liveness } = healthOfLabels(labels);
  return (startup ?? readiness ?? liveness) !== undefined;
}
