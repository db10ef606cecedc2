// What goes over the agent's socket: one JSON line asks, one JSON line answers; events are answered by a line each, until the asker
// hangs up. Only what the agent alone knows; everything else
// a command reads from the disk.
import * as z from 'zod';

import { entrySchema } from '../reconcile/journal-entry.ts';
import { WORKLOAD_KINDS } from '../spec/model.ts';

export const MAX_LINE_BYTES: number = 16 * 1024 * 1024;

const workloadSchema = z.strictObject({
  kind: z.enum(WORKLOAD_KINDS),
  namespace: z.string(),
  name: z.string(),
});

export const requestSchema = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('status') }),
  /** What would be done now. */
  z.strictObject({ method: z.literal('plan') }),
  /** Look at one workload, or at all, and try again what failed. */
  z.strictObject({ method: z.literal('reconcile'), workload: workloadSchema.optional() }),
  /** First `{}`, when everything earlier is in the journal's files; then each entry as it is made. */
  z.strictObject({ method: z.literal('events') }),
]);

const conditionSchema = z.object({
  type: z.string(),
  status: z.enum(['True', 'False']),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: z.string(),
});

const statusSchema = z.object({
  version: z.string(),
  pid: z.number(),
  startedAt: z.number(),
  sources: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(['directory', 'git']),
      revision: z.string().optional(),
      lastSuccess: z.number().optional(),
      problem: z.string().optional(),
    }),
  ),
  workloads: z.array(
    z.object({
      workload: workloadSchema,
      source: z.string().optional(),
      revision: z.string().optional(),
      conditions: z.array(conditionSchema),
      nextLook: z.number().optional(),
    }),
  ),
  /** Containers that run and have probes. */
  health: z
    .array(z.object({ id: z.string(), ready: z.boolean(), started: z.boolean(), problem: z.string().optional() }))
    .optional(),
});

const stepSchema = z.object({
  step: z.string(),
  pod: z.string(),
  container: z.string().optional(),
  image: z.string().optional(),
  why: z.string(),
});

export const planSchema = z.object({
  workloads: z.array(
    z.object({
      workload: workloadSchema,
      steps: z.array(stepSchema),
      waits: z.array(
        z.object({ subject: z.string(), reason: z.string(), until: z.number().optional(), why: z.string() }),
      ),
      problem: z.string().optional(),
    }),
  ),
});

export const RESULT_SCHEMAS = { status: statusSchema, plan: planSchema, reconcile: z.object({}) } as const;

/** Undefined: the `{}` between what was and what comes. */
export const eventSchema = z.union([entrySchema, z.strictObject({}).transform(() => undefined)]);

export const answerSchema = z.union([
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({ ok: z.literal(false), error: z.string() }),
]);

export type ControlRequest = z.infer<typeof requestSchema>;
/** What has one answer. */
export type ControlQuestion = Exclude<ControlRequest, { method: 'events' }>;
export type ControlMethod = ControlQuestion['method'];
export type ControlResult<M extends ControlMethod> = z.infer<(typeof RESULT_SCHEMAS)[M]>;
export type AgentStatus = ControlResult<'status'>;
export type PlanDocument = ControlResult<'plan'>;
