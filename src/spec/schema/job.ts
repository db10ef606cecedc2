// Job (batch/v1).
import * as z from 'zod';

import { firstHostPort } from './host-ports.ts';
import { NOT_YET } from './kubernetes-fields.ts';
import { checked, manifestObject, wholeNumber } from './manifest-object.ts';
import { ignoredStatus, metadata, templateMetadata } from './metadata.ts';
import { podSpec } from './pod.ts';

/** Far beyond what one machine works off: each completion is a pod with a name of its own. */
const MOST_PODS = 1000;
/** A failure every second for a day. */
const MOST_FAILURES = 86_400;
/** About 68 years: what Kubernetes' 32 bits hold. */
const MOST_SECONDS = 2 ** 31 - 1;

const TEMPLATE = 'spec.template.spec';

const jobShape = manifestObject(
  {
    completions: wholeNumber(1, MOST_PODS).nullish(),
    parallelism: wholeNumber(0, MOST_PODS).nullish(),
    backoffLimit: wholeNumber(0, MOST_FAILURES).nullish(),
    activeDeadlineSeconds: wholeNumber(1, MOST_SECONDS).nullish(),
    ttlSecondsAfterFinished: wholeNumber(0, MOST_SECONDS).nullish(),
    suspend: z.boolean().nullish(),
    template: manifestObject({ metadata: templateMetadata.nullish(), spec: podSpec }),
  },
  { notYet: NOT_YET.job, elsewhere: { containers: TEMPLATE, volumes: TEMPLATE, restartPolicy: TEMPLATE } },
);

const jobSpec = checked(jobShape, function* ({ completions, parallelism, template }) {
  const { restartPolicy } = template.spec;
  if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never') {
    const message = "A Job's pods end: write restartPolicy 'OnFailure' or 'Never'";
    yield { path: ['template', 'spec', 'restartPolicy'], message };
  }
  const sideBySide = parallelism ?? 1;
  if (sideBySide > 1 && typeof completions !== 'number') {
    const message = 'With parallelism over 1, say how many pods must end well: completions';
    yield { path: ['parallelism'], message };
  }
  const hostPort = firstHostPort(template.spec);
  if (hostPort !== undefined && Math.min(sideBySide, completions ?? 1) > 1) {
    const message = `${sideBySide} pods side by side cannot share one port of the machine`;
    yield { path: ['template', 'spec', ...hostPort], message };
  }
});

export const job = manifestObject({
  apiVersion: z.literal('batch/v1'),
  kind: z.literal('Job'),
  metadata,
  spec: jobSpec,
  ...ignoredStatus,
});
