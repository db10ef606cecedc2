// A step in the words of reports, the journal and `berth plan`. Pure.
import type { Step } from './effects.ts';
import { subjectOf } from './failure.ts';
import type { StepSummary } from './report.ts';

/** What a report says of a step: names instead of whole pods. */
export function summarize(step: Step): StepSummary {
  const { pod, container } = subjectOf(step);
  return { step: step.do, pod, container, image: imageOf(step), why: step.why };
}

function imageOf(step: Step): string | undefined {
  if (step.do === 'pullImage') return step.image.reference;
  return step.do === 'startContainer' ? step.container.image.reference : undefined;
}
