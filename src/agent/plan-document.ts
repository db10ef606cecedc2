// Plans as `berth plan -o json` prints them, and as the agent sends them. Pure.
import { summarize } from '../reconcile/step-summary.ts';
import type { WorkloadPlan } from '../reconcile/workload-plan.ts';
import type { PlanDocument } from './control-protocol.ts';

/** Steps without the objects that they carry. */
export function planDocument(plans: readonly WorkloadPlan[]): PlanDocument {
  return {
    workloads: plans.map(({ workload, plan, problem }) => ({
      workload,
      steps: plan.steps.map(summarize),
      waits: [...plan.waits],
      problem,
    })),
  };
}
