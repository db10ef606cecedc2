// Gather all that the planner may know of one workload. Reads the machine, changes nothing on it.
import type { Desired, Workload } from '../spec/model.ts';
import { desiredPods, imageRequests, runKey, templateKey } from './desired-pods.ts';
import type { Clock, DesiredPod, Observer, WorkloadId } from './effects.ts';
import type { ImagePulls } from './image-pulls.ts';
import type { ImageResolutions } from './image-resolutions.ts';
import { runSpecOf, type Run } from './run-record.ts';
import type { ImageFact, Situation } from './situation.ts';
import type { Pending } from './status.ts';
import type { WorkloadMemory } from './workload-memory.ts';

/** A workload and the source content that it belongs to. */
export type Declared = { readonly workload: Workload; readonly desired: Desired };

export type Subject = {
  readonly id: WorkloadId;
  /** Undefined: no longer declared. */
  readonly declared: Declared | undefined;
  readonly memory: WorkloadMemory;
};

export type SurveyOptions = {
  readonly observer: Observer;
  readonly pulls: ImagePulls;
  readonly resolutions: ImageResolutions;
  readonly clock: Clock;
};

export type Survey = {
  readonly situation: Situation;
  /** The newest manifest is not acted on yet: its images are not resolved. */
  readonly pending: Pending | undefined;
  /** Declared, but there are no pods to plan for: nothing served before, and nothing is known yet. */
  readonly isUnknown: boolean;
};

/** Survey one workload. Unresolved image references are asked about in the background. Rejects when observing fails. */
export async function survey(subject: Subject, options: SurveyOptions): Promise<Survey> {
  const { id, declared, memory } = subject;
  const { pods, pending } = wantedPods(subject, options);
  const actual = await options.observer.pods(
    id,
    (pods ?? []).map((pod) => pod.name),
  );
  const run = await runOf(subject, options.observer);
  const images = await imageFacts([...(pods ?? []), ...(memory.serving ?? [])], options);
  const isUnknown = declared !== undefined && pods === undefined;
  const situation: Situation = {
    workload: id,
    desired: pods,
    serving: memory.serving,
    actual,
    ...(run === undefined ? {} : { run }),
    ...(declared?.workload.isOrdered === true ? { isOrdered: true } : {}),
    images,
    failures: memory.failures,
    now: options.clock.now(),
  };
  return { situation, pending, isUnknown };
}

/** Whether each image of these pods is on the machine. */
export function areImagesPresent(pods: readonly DesiredPod[], images: Situation['images']): boolean {
  const containers = pods.flatMap((pod) => pod.containers);
  return containers.every(({ image }) => images.get(image.digest)?.state === 'present');
}

type Wanted = { readonly pods: readonly DesiredPod[] | undefined; readonly pending: Pending | undefined };

/** The newest pods that can be planned for: those declared, or those that served before while images are unresolved. */
function wantedPods({ id, declared, memory }: Subject, { resolutions }: SurveyOptions): Wanted {
  if (declared === undefined) return { pods: undefined, pending: undefined };
  const { workload, desired } = declared;
  const template = templateKey(workload, desired);
  const answer = resolutions.lookUp({ workload: id, template, requests: imageRequests(workload) });
  // What comes to an end is never kept going by what it was before: it might be done.
  const before = runSpecOf(workload) === undefined ? memory.serving : undefined;
  if ('pending' in answer) return { pods: before, pending: answer.pending };
  return { pods: desiredPods({ workload, digests: answer.digests, desired }), pending: undefined };
}

/** How far a workload that comes to an end has come; also of one that did so before. */
export async function runOf({ id, declared }: Omit<Subject, 'memory'>, observer: Observer): Promise<Run | undefined> {
  // No other kind ever comes to an end.
  if (id.kind !== 'Pod' && id.kind !== 'Job') return undefined;
  const record = await observer.run(id);
  const spec = declared === undefined ? undefined : runSpecOf(declared.workload);
  if (spec === undefined && record === undefined) return undefined;
  return { spec, record, key: declared === undefined ? '' : runKey(declared.workload, declared.desired) };
}

async function imageFacts(
  pods: readonly DesiredPod[],
  { observer, pulls }: SurveyOptions,
): Promise<Map<string, ImageFact>> {
  const digests = new Set(pods.flatMap((pod) => pod.containers.map(({ image }) => image.digest)));
  const facts = [...digests].map(async (digest): Promise<[string, ImageFact]> => {
    return [digest, (await observer.hasImage(digest)) ? { state: 'present' } : pulls.fact(digest)];
  });
  return new Map(await Promise.all(facts));
}
