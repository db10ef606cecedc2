// A StatefulSet in order: each new pod when those before it are up, updates from the last pod to the first. Pure.
import type { ActualPod, Step } from './effects.ts';
import { dismantle, type PodPlan } from './plan-pod.ts';
import { isDisruptive, isServing, lookAgain, unsteadiness } from './plan-rollout.ts';
import { holdFailed } from './hold-failed.ts';
import type { Plan, Situation, Wait } from './situation.ts';

/**
 * First what brings back the containers of pods that are there, each in its own pod; then new pods, from the first; then the
 * serving pods that are to change, from the last, one at a time; then what is no longer wanted.
 */
export function orderedRollout(plans: readonly PodPlan[], surplus: readonly Step[], situation: Situation): Plan {
  const serving = plans.filter((plan) => isDisruptive(plan) && isServing(plan.pod, situation)).toReversed();
  const free = plans.filter((plan) => !serving.includes(plan));
  const steps = free.filter((plan) => !makesPod(plan)).flatMap((plan) => plan.steps);
  const waits = plans.flatMap((plan) => plan.waits);
  for (const plan of free.filter(makesPod)) {
    const before = plans.slice(0, plans.indexOf(plan)).filter((one) => serving.includes(one) || !makesPod(one));
    const unsteady = before.flatMap((one) => unsteadiness(one, situation));
    if (steps.length === 0 && unsteady.length > 0) return { steps, waits: [...waits, ...unsteady.map(inTurn)] };
    if (steps.length > 0) steps.push(lookAgain(plan.pod));
    steps.push(...plan.steps);
  }
  const [first] = serving;
  const others = first === undefined ? [] : plans.filter((plan) => plan !== first);
  const unsteady = others.flatMap((plan) => unsteadiness(plan, situation));
  if (steps.length === 0 && unsteady.length > 0) return { steps, waits: [...waits, ...unsteady] };
  for (const plan of serving) {
    if (steps.length > 0) steps.push(lookAgain(plan.pod));
    steps.push(...plan.steps);
  }
  return { steps: [...steps, ...surplus], waits };
}

/** All of these pods go, the last one first, each when the one after it is gone. */
export function dismantleInOrder(pods: readonly ActualPod[], why: string, situation: Situation): Plan {
  const ordered = pods.toSorted((one, other) => ordinalOf(other) - ordinalOf(one));
  const held = ordered.map((pod) => holdFailed(dismantle(pod, why), situation));
  return { steps: held.flatMap(({ steps }) => steps), waits: held.flatMap(({ waits }) => waits) };
}

function ordinalOf({ name }: ActualPod): number {
  return Number(name.slice(name.lastIndexOf('-') + 1));
}

function makesPod({ steps }: PodPlan): boolean {
  return steps.some((step) => step.do === 'createSandbox');
}

function inTurn(wait: Wait): Wait {
  return { ...wait, reason: 'AwaitingTurn' };
}
