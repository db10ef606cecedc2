// Why `berth agent --once` did not reach what is declared. Pure.
import type { WorkloadStatus } from '../reconcile/workloads.ts';
import { formatWorkload } from '../reconcile/workload-id.ts';
import type { SourceRow } from './source-board.ts';

/** A line for each source with a problem and each workload that is not ready; none: all is as declared. */
export function unsettledReasons(sources: readonly SourceRow[], workloads: readonly WorkloadStatus[]): string[] {
  const bad = sources.flatMap(({ name, problem }) => (problem === undefined ? [] : [`source ${name}: ${problem}`]));
  const unready = workloads.flatMap(({ workload, conditions }) => {
    const ready = conditions.find(({ type }) => type === 'Ready');
    if (ready?.status === 'True') return [];
    const why = ready === undefined ? 'nothing is known of it' : `${ready.reason}: ${ready.message}`;
    return [`${formatWorkload(workload)}: ${why}`];
  });
  return [...bad, ...unready];
}
