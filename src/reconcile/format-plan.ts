// Plans as text for people and as data for programs: what `berth plan` prints, and the golden files. Pure.
import type { StepKind, WorkloadId } from './effects.ts';
import type { StepSummary } from './report.ts';
import type { Wait } from './situation.ts';
import { summarize } from './step-summary.ts';
import type { WorkloadPlan } from './workload-plan.ts';

const VERBS: Readonly<Record<StepKind, string>> = {
  pullImage: 'pull',
  createSandbox: 'create',
  startContainer: 'start',
  stopContainer: 'stop',
  removeContainer: 'remove',
  removeSandbox: 'remove',
  lookAgain: 'look',
};

/** Whether carrying out these plans would change anything: the exit code of `berth plan`. */
export function hasSteps(plans: readonly WorkloadPlan[]): boolean {
  return plans.some(({ plan }) => plan.steps.length > 0);
}

/** One paragraph for each workload that is not settled, one line for each step or wait, and a line that sums it up. */
export function formatPlans(plans: readonly WorkloadPlan[]): string {
  const paragraphs = plans.map(formatPlan).filter((paragraph) => paragraph !== undefined);
  const changing = plans.filter(({ plan }) => plan.steps.length > 0).length;
  const waiting = paragraphs.length - changing;
  const sum = `${changing} to change, ${waiting} waiting, ${plans.length - paragraphs.length} settled`;
  return [...paragraphs, `Workloads: ${sum}\n`].join('\n');
}

function formatPlan({ workload, plan, problem }: WorkloadPlan): string | undefined {
  const rows = [...plan.steps.map((step) => stepRow(summarize(step))), ...plan.waits.map(waitRow)];
  if (problem !== undefined) rows.unshift(['keep', 'the present version', problem]);
  if (rows.length === 0) return undefined;
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`);
  const heading = `${workload.kind} ${workload.namespace}/${workload.name}`;
  return [heading, ...lines.map((line) => line.trimEnd())].join('\n') + '\n';
}

type Row = readonly [verb: string, subject: string, why: string];

function stepRow(step: StepSummary): Row {
  const container = step.container === undefined ? '' : `/${step.container}`;
  const subject = step.step === 'pullImage' ? (step.image ?? '') : `${step.pod}${container}`;
  return [VERBS[step.step], subject, step.why];
}

function waitRow({ subject, reason, until, why }: Wait): Row {
  const time = until === undefined ? 'until something changes' : `until ${new Date(until).toISOString()}`;
  return ['wait', subject, `${reason} ${time}: ${why}`];
}

/** What `berth plan -o json` prints. Keys are only added, never renamed. */
export type PlanDocument = {
  readonly workloads: readonly {
    readonly workload: WorkloadId;
    readonly steps: readonly Partial<StepSummary>[];
    readonly waits: readonly { subject: string; reason: string; until: string | undefined; why: string }[];
    readonly problem: string | undefined;
  }[];
};

/** All plans as data, the settled ones included. */
export function planDocument(plans: readonly WorkloadPlan[]): PlanDocument {
  return {
    workloads: plans.map(({ workload, plan, problem }) => ({
      workload,
      steps: plan.steps.map(summarize),
      waits: plan.waits.map(({ until, ...wait }) => ({
        ...wait,
        until: until === undefined ? undefined : new Date(until).toISOString(),
      })),
      problem,
    })),
  };
}
