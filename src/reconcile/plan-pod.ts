// The steps for one pod, as if its images were here. Pure.
import type { ContainerRole } from '../spec/model.ts';
import { changedInContainer, changedInPod } from './hash.ts';
import type { ActualContainer, ActualPod, DesiredContainer, DesiredPod, RestartHistory, Step } from './effects.ts';
import { isInitialized, isOver } from './pod-order.ts';
import { isFinished, restartOf } from './restart.ts';
import { isAboutReadiness, type Wait } from './situation.ts';

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
  const { steps, waits } = planContainers({ pod, current, now });
  return { pod, steps: [...dismantling, ...surplus, ...volumeUpdates(pod, current), ...steps], waits };
}

/** Before any start: a container that is started with a new environment finds the new files too. */
function volumeUpdates(pod: DesiredPod, current: ActualPod): Step[] {
  if (pod.volumes === undefined || current.volumes === undefined || pod.volumes === current.volumes) return [];
  return [{ do: 'updateVolumes', pod, why: 'the content of a ConfigMap or Secret in a volume changed' }];
}

/** Stop every container of a pod, then remove all of it: sidecars after the others, the last one first. */
export function dismantle(pod: ActualPod, why: string, graceSeconds: number = pod.graceSeconds): Step[] {
  const others = pod.containers.filter(({ role }) => role !== 'sidecar');
  const sidecars = pod.containers.filter(({ role }) => role === 'sidecar').toReversed();
  const stops = others
    .filter((container) => container.state === 'running')
    .map((container): Step => ({ do: 'stopContainer', pod, container, graceSeconds, why }));
  const removals = others.map((container) => remove(pod, container, why));
  const last = sidecars.flatMap((container) => clear({ pod, container, why, graceSeconds }));
  return [...stops, ...removals, ...last, { do: 'removeSandbox', pod, why }];
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
  return [{ do: 'createSandbox', pod, why }, ...starts(pod, pod.containers, why)];
}

/** The first starts of containers, in order, with a look after each that must end before the next one. */
function starts(pod: DesiredPod, containers: readonly DesiredContainer[], why: string): Step[] {
  return containers.flatMap((container, index): Step[] => [
    start(pod, container, FRESH, why),
    ...(holdsUpOthers(container) && index < containers.length - 1 ? [lookAfter(pod, container)] : []),
  ]);
}

/** Whether the next container waits for more than the start of this one. */
function holdsUpOthers({ spec: { role, health } }: DesiredContainer): boolean {
  return role === 'init' || (role === 'sidecar' && health?.startup !== undefined);
}

function lookAfter(pod: DesiredPod, { name, spec }: DesiredContainer): Step {
  const until =
    spec.role === 'init' ? `the init container ${name} has ended` : `the startup probe of ${name} has succeeded`;
  return { do: 'lookAgain', pod, why: `goes on when ${until}` };
}

type PodInput = Omit<ContainerPlanInput, 'container'>;

/** Each container in its turn. What comes after one that must end or start first waits for it. */
function planContainers(input: PodInput): Omit<PodPlan, 'pod'> {
  const { pod, current } = input;
  if (isOver(pod, current)) return { steps: stopSidecars(pod, current), waits: [] };
  const initialized = isInitialized(current);
  const steps: Step[] = [];
  const waits: Wait[] = [];
  const containers = initialized ? inAnyOrder(pod.containers) : pod.containers;
  for (const [index, container] of containers.entries()) {
    const { role } = container.spec;
    const plan = planContainer({ ...input, container });
    steps.push(...plan.steps);
    waits.push(...plan.waits);
    if (role === 'main' || initialized || letsNextStart(container, current, plan)) continue;
    const rest = containers.slice(index + 1);
    if (plan.steps.length > 0) steps.push(lookAfter(pod, container), ...starts(pod, rest, 'declared and not there'));
    else waits.push(...whileItRuns(pod, container, current));
    break;
  }
  return { steps, waits };
}

/** Once all have started, no container waits for another: a sidecar that cannot start again holds up nothing. */
function inAnyOrder(containers: readonly DesiredContainer[]): DesiredContainer[] {
  const withRole = (role: ContainerRole): DesiredContainer[] => containers.filter(({ spec }) => spec.role === role);
  return [...withRole('main'), ...withRole('sidecar')];
}

/** An init container has ended well, or a sidecar runs or is started by this plan. */
function letsNextStart({ name, spec }: DesiredContainer, current: ActualPod, plan: Omit<PodPlan, 'pod'>): boolean {
  const found = current.containers.find((candidate) => candidate.name === name);
  if (spec.role === 'sidecar') {
    const isHeld = plan.waits.some(({ reason }) => !isAboutReadiness(reason));
    return !isHeld && (spec.health?.startup === undefined || found?.health?.isStarted === true);
  }
  return plan.steps.length === 0 && found?.state === 'exited' && found.exitCode === 0;
}

function whileItRuns({ name: pod }: DesiredPod, { name, spec }: DesiredContainer, current: ActualPod): Wait[] {
  const runs = current.containers.some((candidate) => candidate.name === name && candidate.state === 'running');
  const why = spec.role === 'init' ? 'the init container has not ended yet' : 'its startup probe has not succeeded yet';
  return runs ? [{ subject: `${pod}/${name}`, reason: 'Initializing', until: undefined, why }] : [];
}

/** The others have ended for good: nothing needs the sidecars any more. */
function stopSidecars(pod: DesiredPod, current: ActualPod): Step[] {
  const why = 'the other containers have ended';
  const graceSeconds = graceOf(pod);
  return current.containers
    .filter(({ role, state }) => role === 'sidecar' && state === 'running')
    .toReversed()
    .map((container) => ({ do: 'stopContainer', pod: current, container, graceSeconds, why }));
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
  if (kept.state === 'running' && kept.health?.failure !== undefined) {
    return { steps: [endUnhealthy(kept, { pod, current, container, now })], waits: [] };
  }
  if (kept.state === 'running') return { steps: [], waits: untilReady(pod, kept) };
  if (isFinished(kept, pod.spec.restartPolicy)) return { steps: [], waits: [] };
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

/** Probes tell when something changes: time alone does nothing. */
function untilReady({ name: pod }: DesiredPod, { name, health }: ActualContainer): Wait[] {
  if (health === undefined || health.isReady) return [];
  const reason = health.isPending ? 'AwaitingReadiness' : 'NotReady';
  return [{ subject: `${pod}/${name}`, reason, until: undefined, why: health.problem ?? '' }];
}

/** It is started again when it has ended, as its restart policy says. */
function endUnhealthy(kept: ActualContainer, { pod, current, container }: ContainerPlanInput): Step {
  const { probe, message } = kept.health?.failure ?? { probe: 'liveness', message: '' };
  const graceSeconds = container.spec.health?.[probe]?.terminationGracePeriodSeconds ?? graceOf(pod);
  return { do: 'stopContainer', pod: current, container: kept, graceSeconds, why: `${probe} probe failed: ${message}` };
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
