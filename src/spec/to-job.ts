// The spec of a Job → the model.
import type * as z from 'zod';

import { DEFAULTS } from './defaults.ts';
import type { JobSpec } from './model.ts';
import type { job } from './schema/job.ts';

/** What a Job asks of its pods, with all defaults filled in. */
export function toJob(spec: z.output<typeof job>['spec']): JobSpec {
  return {
    parallelism: spec.parallelism ?? DEFAULTS.parallelism,
    backoffLimit: spec.backoffLimit ?? DEFAULTS.backoffLimit,
    activeDeadlineSeconds: spec.activeDeadlineSeconds ?? undefined,
    ttlSecondsAfterFinished: spec.ttlSecondsAfterFinished ?? undefined,
    suspend: spec.suspend ?? false,
  };
}
