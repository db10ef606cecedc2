// In which order the pods of a workload are worked on, so that replicas keep serving. Pure.
import type { ActualContainer, ActualPod, DesiredPod, Step } from './effects.ts';
import type { PodPlan } from './plan-pod.ts';
import { isFinished } from './restart.ts';
import { isAboutReadiness, type Plan, type Situation, type Wait } from './situation.ts';

/** How long a replaced pod must run before the next one that serves is replaced. */
export const SOAK_MS = 1000;

/** Whether a plan takes something down that runs. */
export function isDisruptive({ steps }: PodPlan): boolean {
  return steps.some((step) => step.do === 'stopContainer');
}

/**
 * One after another: first everything that interrupts nothing and pods that do not serve anyway, then the serving pods
 * one at a time with a look in between, then what is no longer wanted.
 */
export function rollout(plans: readonly PodPlan[], surplus: readonly Step[], situation: Situation): Plan {
  const serving = plans.filter((plan) => isDisruptive(plan) && isServing(plan.pod, situation));
  const free = plans.filter((plan) => !serving.includes(plan));
  const steps = free.flatMap((plan) => plan.steps);
  const waits = plans.flatMap((plan) => plan.waits);
  const unsteady = serving.length === 0 ? [] : free.flatMap((plan) => unsteadiness(plan, situation));
  if (steps.length === 0 && unsteady.length > 0) return { steps: [], waits: [...waits, ...unsteady] };

  for (const plan of serving) {
    if (steps.length > 0) steps.push(lookAgain(plan.pod));
    steps.push(...plan.steps);
  }
  return { steps: [...steps, ...surplus], waits };
}

/** What comes after it waits until the pods before it are up. */
export function lookAgain(pod: DesiredPod): Step {
  return { do: 'lookAgain', pod, why: `goes on when the pods before it have run for ${SOAK_MS / 1000} s` };
}

/** Whether something would be lost by taking the pod down: one of its containers runs. */
export function isServing(pod: DesiredPod, { actual }: Situation): boolean {
  const containers = podsNamed(pod.name, actual).flatMap((candidate) => candidate.containers);
  return containers.length > 0 && containers.every((c) => (c.state === 'running' ? isHealthy(c) : c.exitCode === 0));
}

/** A container without probes is, as long as it runs. */
function isHealthy({ health }: ActualContainer): boolean {
  return health === undefined || health.isReady;
}

/** Why the next serving pod may not be replaced yet: an up-to-date pod does not run, or not for long enough. */
export function unsteadiness({ pod, waits }: PodPlan, { actual, now }: Situation): Wait[] {
  const containers = podsNamed(pod.name, actual).flatMap((candidate) => candidate.containers);
  const resting = containers.filter((container) => !isFinished(container, pod.spec.restartPolicy));
  if (waits.length > 0 || resting.some((container) => container.state !== 'running')) {
    const isUp = waits.every(({ reason }) => isAboutReadiness(reason));
    const why = `${pod.name} ${isUp && waits.length > 0 ? 'is not ready' : 'does not run'}`;
    return [{ subject: pod.name, reason: 'RolloutPaused', until: undefined, why }];
  }
  // A start in the future means that the clock was set back since: the container has run for long enough.
  const starts = resting.map(({ startedAt = 0 }) => (startedAt > now ? 0 : startedAt));
  const steadyAt = Math.max(0, ...starts) + SOAK_MS;
  if (steadyAt <= now) return [];
  return [{ subject: pod.name, reason: 'RolloutPaused', until: steadyAt, why: `${pod.name} has only just started` }];
}

function podsNamed(name: string, actual: readonly ActualPod[]): ActualPod[] {
  return actual.filter((pod) => pod.name === name);
}
