// A plan as people read it: by workload, a line a step, each with its why. Pure.
import type { PlanDocument } from '../agent/control-protocol.ts';
import { oneLine } from './output/printable.ts';

type WorkloadPlan = PlanDocument['workloads'][number];
type Step = WorkloadPlan['steps'][number];

const VERBS: Readonly<Record<string, string>> = {
  pullImage: 'pull',
  createSandbox: 'prepare',
  startContainer: 'start',
  updateVolumes: 'update',
  stopContainer: 'stop',
  removeContainer: 'remove',
  removeSandbox: 'remove',
  recordRun: 'record',
  lookAgain: 'look',
};

/** The plan, and what it amounts to. */
export function formatPlan({ workloads }: PlanDocument): string {
  const busy = workloads.filter(
    ({ steps, waits, problem }) => steps.length + waits.length > 0 || problem !== undefined,
  );
  if (busy.length === 0) return `Nothing to do: ${count(workloads.length, 'workload')} as declared\n`;
  const steps = busy.reduce((sum, workload) => sum + workload.steps.length, 0);
  return `${busy.map(formatWorkload).join('\n')}\n${count(steps, 'step')} for ${count(busy.length, 'workload')}\n`;
}

function formatWorkload({ workload: { kind, namespace, name }, steps, waits, problem }: WorkloadPlan): string {
  const rows = [
    ...steps.map((step) => [VERBS[step.step] ?? step.step, subjectOf(step), step.why]),
    ...waits.map(({ subject, reason, why }) => ['wait', subject, `${reason}: ${why}`]),
    ...(problem === undefined ? [] : [['problem', name, problem]]),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map(([verb = '', subject = '', why = '']) => {
    return `  ${verb.padEnd(widths[0] ?? 0)}  ${subject.padEnd(widths[1] ?? 0)}  ${oneLine(why)}\n`;
  });
  return `${kind} ${namespace}/${name}\n${lines.join('')}`;
}

function subjectOf({ step, pod, container, image }: Step): string {
  if (step === 'pullImage' && image !== undefined) return oneLine(image);
  if (step === 'recordRun') return pod;
  return container === undefined ? `pod ${pod}` : `${pod}/${container}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
