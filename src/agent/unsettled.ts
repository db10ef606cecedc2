// Why `berth agent --once` did not reach what is declared. Pure.
import type { Condition } from '../reconcile/status.ts';
import type { WorkloadStatus } from '../reconcile/workloads.ts';
import { formatWorkload } from '../reconcile/workload-id.ts';
import type { SourceRow } from './source-board.ts';

/** A line for each source with a problem and each workload that is not ready; none: all is as declared. */
export function unsettledReasons(sources: readonly SourceRow[], workloads: readonly WorkloadStatus[]): string[] {
  const bad = sources.flatMap(({ name, problem }) => (problem === undefined ? [] : [`source ${name}: ${problem}`]));
  const unready = workloads.flatMap(({ workload, conditions }) => {
    if (holds(conditions, 'Ready', 'True') !== undefined) return [];
    const telling = mostTelling(conditions);
    const why = telling === undefined ? 'nothing is known of it' : `${telling.reason}: ${telling.message}`;
    return [`${formatWorkload(workload)}: ${why}`];
  });
  return [...bad, ...unready];
}

/** What stands in the way is told by the condition that is about it: no image comes before no container. */
function mostTelling(conditions: readonly Condition[]): Condition | undefined {
  return (
    holds(conditions, 'Stalled', 'True') ??
    holds(conditions, 'ImagesPulled', 'False') ??
    holds(conditions, 'Ready', 'False')
  );
}

function holds(
  conditions: readonly Condition[],
  type: Condition['type'],
  status: Condition['status'],
): Condition | undefined {
  return conditions.find((condition) => condition.type === type && condition.status === status);
}
