// What the agent answers on its socket.
import type { Agent } from './agent.ts';
import type { ControlHandlers } from './control-server.ts';
import { planDocument } from './plan-document.ts';
import { berthVersion } from './version.ts';

/** Handlers over a running agent. */
export function controlHandlers({ reconciler, sources, events, machine, flushed }: Agent): ControlHandlers {
  return {
    status: () => ({
      version: berthVersion(),
      pid: process.pid,
      startedAt: Math.round(performance.timeOrigin),
      sources: sources.rows(),
      health: machine.health.all().map(({ id, isReady, isStarted, problem }) => ({
        id,
        ready: isReady,
        started: isStarted,
        ...(problem === undefined ? {} : { problem }),
      })),
      workloads: reconciler.status().map((status) => ({ ...status, conditions: [...status.conditions] })),
    }),
    plan: async () => planDocument(await reconciler.plans()),
    reconcile: ({ workload }) => {
      if (workload === undefined) reconciler.lookAll();
      else reconciler.look(workload);
      return {};
    },
    events: async (listener) => {
      const subscription = events.subscribe(listener);
      await flushed();
      return subscription;
    },
  };
}
