// The steps for one pod, as if its images were here. Pure.
import { changedInContainer, changedInPod } from './hash.ts';
import type { ActualContainer, ActualPod, DesiredContainer, DesiredPod, RestartHistory, Step } from './effects.ts';
import { isFinished, restartOf } from './restart.ts';
import type { Wait } from './situation.ts';

export type PodPlan = {
  readonly pod: DesiredPod;
  readonly steps: readonly Step[];
  readonly waits: readonly Wait[];
};

const FRESH: RestartHistory = { restarts: 0, crashes: 0 };

/**
 * What brings the pods named `pod.name` to `pod`: the sandbox is replaced when its hash differs, else only containers
 * whose own hash differs are. `actual` holds the pods of that name that belong to the workload.
 */
export function planPod(pod: DesiredPod, actual: readonly ActualPod[], now: number): PodPlan {
  const current = actual.find((candidate) => isSandboxOf(candidate, pod));
  const others = actual.filter((candidate) => candidate !== current);
  const dismantling = others.flatMap((other) => dismantle(other, whyReplaced(other, pod), graceOf(pod)));
  if (current === undefined) return { pod, steps: [...dismantling, ...build(pod, others.length > 0)], waits: [] };

  const names = new Set(pod.containers.map((container) => container.name));
  const surplus = current.containers
    .filter((container) => !names.has(container.name))
    .flatMap((container) => clear({ pod: current, container, why: 'not declared', graceSeconds: graceOf(pod) }));
  const plans = pod.containers.map((container) => planContainer({ pod, current, container, now }));
  return {
    pod,
    steps: [...dismantling, ...surplus, ...plans.flatMap((plan) => plan.steps)],
    waits: plans.flatMap((plan) => plan.waits),
  };
}

/** Stop every container of a pod, then remove all of it. */
export function dismantle(pod: ActualPod, why: string, graceSeconds: number = pod.graceSeconds): Step[] {
  const stops = pod.containers
    .filter((container) => container.state === 'running')
    .map((container): Step => ({ do: 'stopContainer', pod, container, graceSeconds, why }));
  const removals = pod.containers.map((container): Step => ({ do: 'removeContainer', pod, container, why }));
  return [...stops, ...removals, { do: 'removeSandbox', pod, why }];
}

function isSandboxOf(actual: ActualPod, pod: DesiredPod): boolean {
  return actual.uid === pod.uid && actual.hash === pod.hash && actual.sandbox === 'ready';
}

function whyReplaced(actual: ActualPod, pod: DesiredPod): string {
  if (actual.sandbox === 'broken') return 'its sandbox is broken';
  return actual.hash === pod.hash ? 'a second pod of this name' : `${changedInPod(actual.hash, pod.hash)} changed`;
}

function build(pod: DesiredPod, replaces: boolean): Step[] {
  const why = replaces ? 'replaces the pod before it' : 'declared and not there';
  const starts = pod.containers.map((container) => start(pod, container, FRESH, why));
  return [{ do: 'createSandbox', pod, why }, ...starts];
}

type ContainerPlanInput = {
  readonly pod: DesiredPod;
  readonly current: ActualPod;
  readonly container: DesiredContainer;
  readonly now: number;
};

function planContainer(input: ContainerPlanInput): Omit<PodPlan, 'pod'> {
  const { pod, current, container } = input;
  const found = current.containers.filter((candidate) => candidate.name === container.name);
  const kept = keeper(found, container.hash);
  const cleared = found
    .filter((candidate) => candidate !== kept)
    .flatMap((candidate) => {
      const why = whyCleared(candidate, container.hash);
      return clear({ pod: current, container: candidate, why, graceSeconds: graceOf(pod) });
    });
  if (kept === undefined) {
    const why = found[0] === undefined ? 'declared and not there' : whyCleared(found[0], container.hash);
    return { steps: [...cleared, start(pod, container, FRESH, why)], waits: [] };
  }
  const revived = revive(kept, input);
  return { steps: [...cleared, ...revived.steps], waits: revived.waits };
}

/** Of the containers with the wanted hash the running one, else the first. */
function keeper(found: readonly ActualContainer[], hash: string): ActualContainer | undefined {
  const same = found.filter((candidate) => candidate.hash === hash);
  return same.find((candidate) => candidate.state === 'running') ?? same[0];
}

function whyCleared(container: ActualContainer, hash: string): string {
  if (container.hash === hash) return 'a second container of this name';
  return `${changedInContainer(container.hash, hash)} changed`;
}

/** What a container that has the right hash needs: nothing while it runs or when it may rest, else a new start. */
function revive(kept: ActualContainer, { pod, current, container, now }: ContainerPlanInput): Omit<PodPlan, 'pod'> {
  if (kept.state === 'running' || isFinished(kept, pod.spec.restartPolicy)) return { steps: [], waits: [] };
  if (kept.state === 'created') {
    const why = 'created, never started';
    return { steps: [remove(current, kept, why), start(pod, container, kept.history, why)], waits: [] };
  }
  const why = `ended with ${kept.exitCode === undefined ? 'an unknown exit code' : `exit code ${kept.exitCode}`}`;
  const restart = restartOf(kept, now);
  if (restart.at > now) {
    const subject = `${pod.name}/${container.name}`;
    return { steps: [], waits: [{ subject, reason: 'CrashLoopBackOff', until: restart.at, why }] };
  }
  return { steps: [remove(current, kept, why), start(pod, container, restart.history, why)], waits: [] };
}

type ClearInput = {
  readonly pod: ActualPod;
  readonly container: ActualContainer;
  readonly why: string;
  readonly graceSeconds: number;
};

function clear({ pod, container, why, graceSeconds }: ClearInput): Step[] {
  const removal = remove(pod, container, why);
  if (container.state !== 'running') return [removal];
  return [{ do: 'stopContainer', pod, container, graceSeconds, why }, removal];
}

function remove(pod: ActualPod, container: ActualContainer, why: string): Step {
  return { do: 'removeContainer', pod, container, why };
}

function start(pod: DesiredPod, container: DesiredContainer, history: RestartHistory, why: string): Step {
  return { do: 'startContainer', pod, container, history, why };
}

function graceOf(pod: DesiredPod): number {
  return pod.spec.terminationGracePeriodSeconds;
}
