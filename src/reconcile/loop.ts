// One look at one workload: observe → plan → execute → report. Level-triggered: why it looks does not matter.
import { backoffMs } from './backoff.ts';
import type { ErrorClass } from './classify.ts';
import type { Effects, Step } from './effects.ts';
import { execute } from './execute.ts';
import { failureKey, failureOf, type Failure } from './failure.ts';
import { plan } from './plan.ts';
import type { LookResult, ReportFunction } from './report.ts';
import { nextLook, type Plan } from './situation.ts';
import { conditionsChanged, conditionsOf, type Pending } from './status.ts';
import { summarize } from './step-summary.ts';
import { areImagesPresent, survey, type Subject, type SurveyOptions } from './survey.ts';
import type { WorkloadMemory } from './workload-memory.ts';

export type LookOptions = SurveyOptions & {
  readonly effects: Effects;
  readonly report: ReportFunction;
  readonly signal: AbortSignal;
};

export type NextLook = {
  /** When to look again, in milliseconds since the epoch. Undefined: when something happens. */
  readonly at: number | undefined;
  /** The workload is no longer declared and nothing is left of it. */
  readonly isGone: boolean;
};

/**
 * Look once. Rejects when the machine cannot be observed, or when the signal aborts; a step that fails is remembered and
 * reported. After steps were carried out it asks to look again at once: what is true is what is observed.
 */
export async function look(subject: Subject, options: LookOptions): Promise<NextLook> {
  const { id, declared, memory } = subject;
  const { clock, report } = options;
  const begin = clock.now();
  const { situation, pending, isUnknown } = await survey(subject, options);
  const { desired } = situation;
  if (desired !== undefined && areImagesPresent(desired, situation.images)) memory.serving = desired;

  const planned: Plan = isUnknown ? { steps: [], waits: [] } : plan(situation);
  const conditions = conditionsOf({ situation, plan: planned, pending, previous: memory.conditions });
  const changed = conditionsChanged(memory.conditions, conditions);
  memory.conditions = conditions;

  const failures = await carryOut(subject, planned.steps, options);
  const classes = [...failures, ...(pending?.failure === undefined ? [] : [pending.failure])].map((one) => one.class);
  const summary = { result: worst(classes), steps: planned.steps.length, durationMs: clock.now() - begin };
  report({ event: 'looked', workload: id, conditions, changed, ...summary });
  const isGone = declared === undefined && planned.steps.length === 0 && planned.waits.length === 0;
  return { at: nextLookAt({ planned, pending, memory, now: clock.now() }), isGone };
}

async function carryOut(subject: Subject, steps: readonly Step[], options: LookOptions): Promise<Failure[]> {
  const { id: workload, memory } = subject;
  const { effects, pulls, clock, report, signal } = options;
  const failures: Failure[] = [];
  await execute(steps, {
    effects,
    signal,
    beginPull: (step) => pulls.begin(step),
    onDone: (step, durationMs) => {
      memory.failures.delete(failureKey(step));
      report({ event: 'stepDone', workload, ...summarize(step), durationMs });
    },
    onFailed: (step, error) => {
      const key = failureKey(step);
      const failure = failureOf(error, memory.failures.get(key), clock.now());
      memory.failures.set(key, failure);
      failures.push(failure);
      report({ event: 'stepFailed', workload, ...summarize(step), failure });
    },
  });
  return failures;
}

const SEVERITY: readonly ErrorClass[] = ['stalled', 'wait', 'retry'];

function worst(classes: readonly ErrorClass[]): LookResult {
  return SEVERITY.find((severity) => classes.includes(severity)) ?? 'success';
}

type NextLookInput = {
  readonly planned: Plan;
  readonly pending: Pending | undefined;
  readonly memory: WorkloadMemory;
  readonly now: number;
};

/** A pull that ends, an answer about an image and an exit ask for a look themselves; only time does not. */
function nextLookAt({ planned, pending, memory, now }: NextLookInput): number | undefined {
  const waits = [nextLook(planned), pending?.retryAt].filter((time) => time !== undefined);
  const wait = waits.length === 0 ? undefined : Math.min(...waits);
  const [first] = planned.steps;
  if (first === undefined) memory.lastSteps = '';
  if (first === undefined || first.do === 'pullImage') return wait;
  return now + pauseAfter(planned.steps, memory);
}

/** None, unless the same steps were carried out before and changed nothing: then it must not become a busy loop. */
function pauseAfter(steps: readonly Step[], memory: WorkloadMemory): number {
  const text = steps.map(failureKey).join('\n');
  memory.repeats = text === memory.lastSteps ? memory.repeats + 1 : 0;
  memory.lastSteps = text;
  return backoffMs(memory.repeats);
}
