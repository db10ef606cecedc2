// The planner: what to do for one workload, and why. Pure: no clock, no I/O, no randomness.
import type { ActualPod, DesiredPod, Step } from './effects.ts';
import { sameWorkload } from './workload-id.ts';
import { isHeld } from './failure.ts';
import { holdFailed } from './hold-failed.ts';
import { dismantle, planPod, type PodPlan } from './plan-pod.ts';
import { dismantleInOrder, orderedRollout } from './plan-ordered.ts';
import { isDisruptive, rollout } from './plan-rollout.ts';
import { runTurn } from './plan-runs.ts';
import type { Run, RunSpec } from './run-record.ts';
import type { Plan, Situation, Wait } from './situation.ts';

/** A pod of another workload bears the name: it is on its way out, or nobody will ever know when it ends. */
const NAME_TAKEN_LOOK_MS = 1000;

/**
 * The next steps for one workload, in the order in which they are done. The order of the decisions is the policy:
 * what is settled stays; what is not declared goes; nothing stops before every image that is needed is here; replicas
 * are replaced one at a time.
 */
export function plan(situation: Situation): Plan {
  const { workload, desired, actual } = situation;
  const own = actual.filter((pod) => sameWorkload(pod.workload, workload));
  if (desired === undefined) return thenForget(dismantleAll(own, 'no longer declared', situation), situation);
  const { run } = situation;
  if (run?.spec !== undefined) return planRun({ ...situation, desired }, { ...run, spec: run.spec }, own);
  return thenForget(planPods({ ...situation, desired }, own), situation);
}

/** What is recorded of a run that is not one any more goes last: until then a look knows that there was one. */
function thenForget({ steps, waits }: Plan, { workload, run }: Situation): Plan {
  if (run?.record === undefined) return { steps, waits };
  return { steps: [...steps, { do: 'recordRun', workload, record: undefined, why: 'no longer needed' }], waits };
}

type Declared = Situation & { readonly desired: readonly DesiredPod[] };

/** Only the pods that have their turn are planned; `serving` would start again what is done. */
function planRun(situation: Declared, run: Run & { spec: RunSpec }, own: readonly ActualPod[]): Plan {
  const { records, active, discarded, stops, waits } = runTurn(situation, run, own);
  const held = discarded.map(({ pod, why }) => holdFailed(dismantle(pod, why), situation));
  const heldStops = holdFailed(stops, situation);
  const gone = new Set(discarded.map(({ pod }) => pod));
  const names = new Set(situation.desired.map(({ name }) => name));
  const left = own.filter(
    (pod) => !gone.has(pod) && (!names.has(pod.name) || active.some(({ name }) => name === pod.name)),
  );
  const others = situation.actual.filter((pod) => !own.includes(pod));
  const actual = [...others, ...left];
  const next = planPods({ ...situation, desired: active, serving: active, actual }, left);
  return {
    steps: [...records, ...held.flatMap(({ steps }) => steps), ...heldStops.steps, ...next.steps],
    waits: [...held.flatMap((one) => one.waits), ...heldStops.waits, ...next.waits, ...waits],
  };
}

function planPods(situation: Declared, own: readonly ActualPod[]): Plan {
  const { desired } = situation;
  const free = desired.filter((pod) => takenBy(pod, situation) === undefined);
  const taken = desired.flatMap((pod) => nameTaken(pod, situation));
  const plans = free.map((pod) => podPlan(pod, situation));
  const names = new Set(desired.map((pod) => pod.name));
  const surplus = dismantleAll(
    own.filter((pod) => !names.has(pod.name)),
    'more replicas than declared',
    situation,
  );
  const missing = missingImages(plans, situation);
  const order = situation.isOrdered === true ? orderedRollout : rollout;
  const next =
    missing.length === 0
      ? order(plans, surplus.steps, situation)
      : whileImagesAreMissing(missing, order(plans, surplus.steps, situation), situation);
  return { steps: next.steps, waits: [...next.waits, ...taken, ...surplus.waits] };
}

/** A pod's plan without what is held, and every start that it needs, held or not: their images are fetched all the same. */
type HeldPodPlan = PodPlan & { readonly starts: readonly Step<'startContainer'>[] };

function podPlan(pod: DesiredPod, situation: Situation): HeldPodPlan {
  const own = situation.actual.filter(
    (candidate) => candidate.name === pod.name && sameWorkload(candidate.workload, situation.workload),
  );
  const { steps, waits } = planPod(pod, own, situation.now);
  const held = holdFailed(steps, situation);
  const starts = steps.filter((step) => step.do === 'startContainer');
  return { pod, steps: held.steps, waits: [...waits, ...held.waits], starts };
}

function dismantleAll(pods: readonly ActualPod[], why: string, situation: Situation): Plan {
  if (situation.workload.kind === 'StatefulSet') return dismantleInOrder(pods, why, situation);
  const held = pods.toReversed().map((pod) => holdFailed(dismantle(pod, why), situation));
  const steps = held.flatMap((plan) => plan.steps);
  // Stops first: they run side by side, so that ten pods do not take ten times the grace period.
  const stops = steps.filter(isFirst);
  const rest = steps.filter((step) => !isFirst(step));
  return { steps: [...stops, ...rest], waits: held.flatMap((plan) => plan.waits) };
}

/** What is stopped before anything is removed: a sidecar stays until the others have ended. */
function isFirst(step: Step): boolean {
  return step.do === 'stopContainer' && step.container.role !== 'sidecar';
}

type Pull = Step<'pullImage'>;

/** One pull for each image that a planned start needs and that is not here. */
function missingImages(plans: readonly HeldPodPlan[], { images }: Situation): Pull[] {
  const pulls = new Map<string, Pull>();
  for (const step of plans.flatMap((plan) => plan.starts)) {
    const { image } = step.container;
    const state = images.get(image.digest)?.state ?? 'absent';
    if (state === 'present' || pulls.has(image.digest)) continue;
    const why = state === 'pulling' ? 'on its way' : 'not on this machine';
    pulls.set(image.digest, { do: 'pullImage', image, pod: step.pod, why });
  }
  return [...pulls.values()];
}

/**
 * Fetch what is missing. Until it is here, what served before is kept alive, and nothing is replaced: `afterwards` is
 * only a preview of what follows the pulls.
 */
function whileImagesAreMissing(missing: readonly Pull[], afterwards: Plan, situation: Situation): Plan {
  const { serving, desired, images, now } = situation;
  const keep = (serving ?? desired ?? [])
    .filter((pod) => takenBy(pod, situation) === undefined)
    .map((pod) => podPlan(pod, situation))
    .filter((kept) => !isDisruptive(kept) && missingImages([kept], situation).length === 0);
  const upkeep = keep.flatMap((kept) => kept.steps);
  const waits = keep.flatMap((kept) => kept.waits);

  const held = missing.flatMap(({ image }): Wait[] => {
    const fact = images.get(image.digest);
    if (fact?.state !== 'failed' || !isHeld(fact.failure, now)) return [];
    const { retryAt, message } = fact.failure;
    return [{ subject: image.reference, reason: 'ImagePullBackOff', until: retryAt, why: message }];
  });
  const heldReferences = new Set(held.map((wait) => wait.subject));
  const pulls = missing.filter(({ image }) => !heldReferences.has(image.reference));
  const preview = upkeep.length === 0 && held.length === 0 ? afterwards.steps : [];
  return { steps: [...upkeep, ...pulls, ...preview], waits: [...waits, ...held] };
}

function takenBy(pod: DesiredPod, { actual, workload }: Situation): ActualPod | undefined {
  return actual.find((candidate) => candidate.name === pod.name && !sameWorkload(candidate.workload, workload));
}

function nameTaken(pod: DesiredPod, situation: Situation): Wait[] {
  const other = takenBy(pod, situation);
  if (other === undefined) return [];
  const why = `a pod of ${other.workload.kind} ${other.workload.name} still bears this name`;
  return [{ subject: pod.name, reason: 'NameTaken', until: situation.now + NAME_TAKEN_LOOK_MS, why }];
}
