// Each directory below test/golden/plan is a scenario: what ran (before.yaml), what is wanted (after.yaml), what has
// happened since (state.json), and the plan (plan.txt). UPDATE_GOLDEN=1 writes plan.txt anew.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { planDocument } from '../../src/agent/plan-document.ts';
import { formatPlan } from '../../src/cli/format-plan.ts';
import { desiredPods, imageRequests, runKey, workloadId } from '../../src/reconcile/desired-pods.ts';
import type { ActualContainer, ActualPod, DesiredPod } from '../../src/reconcile/effects.ts';
import { plan } from '../../src/reconcile/plan.ts';
import { freshRecord, runSpecOf, type Run, type RunRecord } from '../../src/reconcile/run-record.ts';
import type { ImageFact } from '../../src/reconcile/situation.ts';
import { formatWorkload } from '../../src/reconcile/workload-id.ts';
import type { WorkloadPlan } from '../../src/reconcile/workload-plan.ts';
import { loadManifests } from '../../src/spec/load.ts';
import type { Desired } from '../../src/spec/model.ts';
import { digestOf, runningPod, withContainer } from './sample-workload.ts';

const ROOT = join(import.meta.dirname, '../golden/plan');
const NOW = Date.UTC(2026, 0, 1, 12);

type State = {
  /** References of images that are on the machine. */
  readonly images: readonly string[];
  /** How long everything has been running. */
  readonly runningSeconds?: number;
  /** By `pod/container`. */
  readonly containers?: Readonly<Record<string, Partial<ActualContainer> & { readonly endedSecondsAgo?: number }>>;
  readonly brokenSandboxes?: readonly string[];
  /** Pods of which nothing is left. */
  readonly gone?: readonly string[];
  /** What is recorded of a run; times are seconds before now. */
  readonly record?: Partial<RunRecord>;
};

for (const scenario of readdirSync(ROOT)) {
  test(`the plan of ${scenario} is the golden one`, (t) => {
    const directory = join(ROOT, scenario);
    const plans = plansOf(directory);
    const text = formatPlan(planDocument(plans));
    const golden = join(directory, 'plan.txt');
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    t.is(text, readFileSync(golden, 'utf8'));
    const steps = planDocument(plans).workloads.flatMap((workload) => workload.steps);
    t.is(steps.length, plans.flatMap((one) => one.plan.steps).length);
  });
}

function plansOf(directory: string): WorkloadPlan[] {
  const before = load(join(directory, 'before.yaml'));
  const after = load(join(directory, 'after.yaml'));
  const state = JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8')) as State;
  const there = [...podsOf(before).values()].flat().filter(({ name }) => state.gone?.includes(name) !== true);
  const actual = there.map((pod) => actualOf(pod, state));
  const wanted = podsOf(after);
  const ids = new Map(
    [...before.workloads, ...after.workloads].map((one) => [formatWorkload(workloadId(one)), workloadId(one)]),
  );
  const images = new Map<string, ImageFact>(state.images.map((image) => [digestOf(image), { state: 'present' }]));
  return [...ids.keys()].sort().flatMap((key) => {
    const workload = ids.get(key);
    if (workload === undefined) return [];
    const own = actual.filter((pod) => formatWorkload(pod.workload) === key);
    const desired = wanted.get(key);
    const run = runOf(after, key, state);
    const order = after.workloads.some((one) => one.isOrdered) ? { isOrdered: true } : {};
    const memory = { ...order, serving: undefined, failures: new Map(), ...(run === undefined ? {} : { run }) };
    const situation = { workload, desired, actual: own, images, now: NOW, ...memory };
    return [{ workload, plan: plan(situation), problem: undefined }];
  });
}

function runOf(desired: Desired, key: string, { record }: State): Run | undefined {
  const workload = desired.workloads.find((one) => formatWorkload(workloadId(one)) === key);
  const spec = workload === undefined ? undefined : runSpecOf(workload);
  if (workload === undefined || spec === undefined) return undefined;
  const runs = runKey(workload, desired);
  if (record === undefined) return { spec, key: runs, record: undefined };
  const { startedAt = 3600, lastFailureAt = 0, ...rest } = record;
  const times = { startedAt: NOW - startedAt * 1000, lastFailureAt: NOW - lastFailureAt * 1000 };
  return { spec, key: runs, record: { ...freshRecord(runs), ...times, ...rest } };
}

function load(path: string): Desired {
  if (!existsSync(path)) return { workloads: [], configMaps: [], secrets: [], claims: [], services: [] };
  const loaded = loadManifests([{ path, text: readFileSync(path, 'utf8') }]);
  if ('errors' in loaded) throw new Error(loaded.errors.map((error) => error.message).join('\n'));
  return loaded.desired;
}

function podsOf(desired: Desired): Map<string, DesiredPod[]> {
  return new Map(
    desired.workloads.map((workload) => {
      const digests = new Map(imageRequests(workload).map(({ reference }) => [reference, digestOf(reference)]));
      return [formatWorkload(workloadId(workload)), desiredPods({ workload, digests, desired })];
    }),
  );
}

function actualOf(pod: DesiredPod, state: State): ActualPod {
  let actual = runningPod(pod, NOW - (state.runningSeconds ?? 3600) * 1000);
  if (state.brokenSandboxes?.includes(pod.name) === true) actual = { ...actual, sandbox: 'broken' };
  for (const [subject, { endedSecondsAgo, ...change }] of Object.entries(state.containers ?? {})) {
    const [podName, name = ''] = subject.split('/');
    const finishedAt = endedSecondsAgo === undefined ? undefined : NOW - endedSecondsAgo * 1000;
    if (podName === pod.name) actual = withContainer(actual, name, { ...change, finishedAt });
  }
  return actual;
}
