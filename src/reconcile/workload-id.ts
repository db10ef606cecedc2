// The one spelling of a workload's identity: queue key, journal field, command argument.
import { isWorkloadKind } from '../spec/model.ts';
import type { WorkloadId } from './effects.ts';

/** `Deployment/default/web`. Names hold no slash, so no two workloads share a key. */
export function formatWorkload(id: WorkloadId): string {
  return `${id.kind}/${id.namespace}/${id.name}`;
}

/** The reverse of `formatWorkload`; `undefined` for any other text. */
export function parseWorkload(text: string): WorkloadId | undefined {
  const [kind, namespace, name, ...rest] = text.split('/');
  if (!isWorkloadKind(kind)) return undefined;
  if (namespace === undefined || namespace === '' || name === undefined || name === '') return undefined;
  return rest.length === 0 ? { kind, namespace, name } : undefined;
}

/** Whether two ids name the same workload. */
export function sameWorkload(one: WorkloadId, other: WorkloadId): boolean {
  return one.kind === other.kind && one.namespace === other.namespace && one.name === other.name;
}
