// The plan of one workload, as `berth plan` shows it.
import type { WorkloadId } from './effects.ts';
import type { Plan } from './situation.ts';

export type WorkloadPlan = {
  readonly workload: WorkloadId;
  readonly plan: Plan;
  /** Why the newest manifest cannot be planned for; the plan then keeps what served before. */
  readonly problem: string | undefined;
};
