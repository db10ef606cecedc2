// What the agent answers on its socket.
import { summarize } from '../reconcile/step-summary.ts';
import type { WorkloadPlan } from '../reconcile/workload-plan.ts';
import type { Agent } from './agent.ts';
import type { ControlHandlers } from './control-server.ts';
import type { PlanDocument } from './control-protocol.ts';
import { berthVersion } from './version.ts';

/** Handlers over a running agent. */
export function controlHandlers({ reconciler, sources }: Agent): ControlHandlers {
  return {
    status: () => ({
      version: berthVersion(),
      pid: process.pid,
      startedAt: Math.round(performance.timeOrigin),
      sources: sources.rows(),
      workloads: reconciler.status().map((status) => ({ ...status, conditions: [...status.conditions] })),
    }),
    plan: async () => planDocument(await reconciler.plans()),
    reconcile: ({ workload }) => {
      if (workload === undefined) reconciler.lookAll();
      else reconciler.look(workload);
      return {};
    },
  };
}

/** Plans as `berth plan -o json` prints them. */
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
