// What the probes and hooks of a container tell → a report of the reconciler's kind. Pure.
import type { ContainerIdentity } from '../oci/pod/labels.ts';
import type { ContainerHealth } from '../reconcile/probe-state.ts';
import type { Report } from '../reconcile/report.ts';
import { workloadOf } from './machine/observer.ts';

/** The report of a container whose health has changed; undefined while its probes have not made up their mind. */
export function healthReport(identity: ContainerIdentity, health: ContainerHealth): Report | undefined {
  const { pod, container } = identity;
  const base = { event: 'healthChanged', workload: workloadOf(identity), pod, container } as const;
  const { failure, isReady, problem = '' } = health;
  if (failure !== undefined) {
    return { ...base, health: 'unhealthy', message: `${failure.probe} probe failed: ${failure.message}` };
  }
  if (health.isPending) return undefined;
  return isReady ? { ...base, health: 'ready', message: '' } : { ...base, health: 'unready', message: problem };
}

/** The report of a preStop that failed. */
export function hookReport(identity: ContainerIdentity, error: unknown): Report {
  const { pod, container } = identity;
  const message = error instanceof Error ? error.message : String(error);
  return { event: 'hookFailed', workload: workloadOf(identity), pod, container, message };
}
