// The plans for manifests that no agent follows: `berth plan PATH`. Changes nothing.
import type { Desired, Workload } from '../spec/model.ts';
import { desiredPods, imageRequests, workloadId } from './desired-pods.ts';
import type { DesiredPod, Images, Observer, WorkloadId } from './effects.ts';
import { plan } from './plan.ts';
import type { ImageFact, Plan } from './situation.ts';
import { formatWorkload } from './workload-id.ts';
import type { WorkloadPlan } from './workload-plan.ts';

export type PlanOnceOptions = {
  readonly desired: Desired;
  readonly observer: Observer;
  readonly images: Images;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether workloads that run and are not in `desired` are removed. */
  readonly prune: boolean;
  readonly signal: AbortSignal;
};

/**
 * What an agent that followed `desired` would do now, by workload. An image that cannot be resolved is a `problem` of its
 * workload. Rejects when the machine cannot be observed.
 */
export async function planOnce(options: PlanOnceOptions): Promise<WorkloadPlan[]> {
  const { desired, observer, prune } = options;
  const declared = new Set(desired.workloads.map((workload) => formatWorkload(workloadId(workload))));
  const found = prune ? await observer.workloads() : [];
  const orphans = new Map(found.map((id) => [formatWorkload(id), id]));
  for (const key of declared) orphans.delete(key);
  const plans = await Promise.all([
    ...desired.workloads.map((workload) => planWorkload(workload, options)),
    ...[...orphans.values()].map(async (id) => {
      return { workload: id, plan: await planPods(id, undefined, options), problem: undefined };
    }),
  ]);
  return plans.sort((one, other) => (formatWorkload(one.workload) < formatWorkload(other.workload) ? -1 : 1));
}

async function planWorkload(workload: Workload, options: PlanOnceOptions): Promise<WorkloadPlan> {
  const { images, desired, signal } = options;
  const id = workloadId(workload);
  try {
    const requests = imageRequests(workload);
    const answers = await Promise.all(
      requests.map(async (request): Promise<[string, string]> => {
        return [request.reference, await images.resolve(request, signal)];
      }),
    );
    const pods = desiredPods({ workload, digests: new Map(answers), desired });
    return { workload: id, plan: await planPods(id, pods, options), problem: undefined };
  } catch (error) {
    signal.throwIfAborted();
    const problem = error instanceof Error ? error.message : String(error);
    return { workload: id, plan: { steps: [], waits: [] }, problem };
  }
}

async function planPods(
  workload: WorkloadId,
  desired: readonly DesiredPod[] | undefined,
  { observer, now }: PlanOnceOptions,
): Promise<Plan> {
  const pods = desired ?? [];
  const actual = await observer.pods(
    workload,
    pods.map((pod) => pod.name),
  );
  const images = new Map<string, ImageFact>();
  for (const { image } of pods.flatMap((pod) => pod.containers)) {
    images.set(image.digest, { state: (await observer.hasImage(image.digest)) ? 'present' : 'absent' });
  }
  return plan({ workload, desired, serving: undefined, actual, images, failures: new Map(), now });
}
