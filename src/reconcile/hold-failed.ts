// Steps that failed a short while ago are not planned again yet, nor what depends on them. Pure.
import type { Step } from './effects.ts';
import { failureKey, isHeld, standsInTheWay, subjectOf } from './failure.ts';
import type { Situation, Wait } from './situation.ts';

export type Held = { readonly steps: readonly Step[]; readonly waits: readonly Wait[] };

/**
 * Leave out of one pod's steps what is held. Nothing is stopped for the sake of a start that is held: the steps of such
 * a container are held together, and so is all of a pod whose sandbox cannot be made.
 */
export function holdFailed(steps: readonly Step[], situation: Situation): Held {
  const { failures, now } = situation;
  const failing = steps.filter((step) => isHeld(failures.get(failureKey(step)), now));
  if (failing.length === 0) return { steps, waits: [] };

  const blocked: Step[] = [];
  const kept: Step[] = [];
  const wholePod = failing.some((step) => step.do === 'createSandbox');
  const together = steps.every((step) => subjectOf(step).container !== undefined);
  for (const step of steps) {
    const dependsOnBlocked = blocked.some((earlier) => standsInTheWay(earlier, step));
    const belongsToFailing = together && failing.some((failed) => sameContainer(failed, step));
    const isBlocked = wholePod || failing.includes(step) || dependsOnBlocked || belongsToFailing;
    (isBlocked ? blocked : kept).push(step);
  }
  return { steps: kept, waits: failing.map((step) => waitFor(step, situation)) };
}

function sameContainer(one: Step, other: Step): boolean {
  return subjectOf(one).container === subjectOf(other).container;
}

function waitFor(step: Step, { failures }: Situation): Wait {
  const failure = failures.get(failureKey(step));
  const { pod, container } = subjectOf(step);
  const subject = container === undefined ? pod : `${pod}/${container}`;
  return { subject, reason: 'StepFailed', until: failure?.retryAt, why: failure?.message ?? 'a step failed' };
}
