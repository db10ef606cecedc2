// What an agent would do if these manifests were its only source: `berth plan PATH`. Asks registries about images, changes nothing.
import { join } from 'node:path';

import type { Host } from '../oci/host.ts';
import type { RegistryOptions } from '../oci/image/registry/client.ts';
import { acceptRevision } from '../reconcile/accept-revision.ts';
import { merge, type Declaration } from '../reconcile/declarations.ts';
import { desiredPods, imageRequests, templateKey } from '../reconcile/desired-pods.ts';
import { readRecords, type DesiredRecord } from '../reconcile/desired-record.ts';
import type { DesiredPod, Images, Observer, WorkloadId } from '../reconcile/effects.ts';
import { plan } from '../reconcile/plan.ts';
import type { ImageFact, Situation } from '../reconcile/situation.ts';
import { runOf, type Declared } from '../reconcile/survey.ts';
import type { SourceFile } from '../reconcile/source.ts';
import { formatWorkload } from '../reconcile/workload-id.ts';
import type { WorkloadPlan } from '../reconcile/workload-plan.ts';
import type { Desired } from '../spec/model.ts';
import { openImages } from './machine/images.ts';
import { openObserver } from './machine/observer.ts';

type Planner = {
  readonly observer: Observer;
  readonly images: Images;
  readonly record: DesiredRecord | undefined;
  readonly signal: AbortSignal;
};

export type PlanOptions = { readonly registry: RegistryOptions; readonly signal: AbortSignal };

export type Candidate = {
  /** What a message calls it: the path that was given. */
  readonly source: string;
  readonly files: readonly SourceFile[];
  readonly desired: Desired;
};

/**
 * A plan for each declared workload, and for each on this machine that nothing declares. Rejects with `signal`'s reason, and
 * with an Error where the agent would refuse the whole revision.
 */
export async function planFiles(
  host: Host,
  candidate: Candidate,
  { registry, signal }: PlanOptions,
): Promise<WorkloadPlan[]> {
  const { current: record } = await readRecords(join(host.paths.root, 'desired'));
  const planner: Planner = { observer: openObserver(host), images: openImages(host, { registry }), record, signal };
  const found = await planner.observer.workloads();
  requireAcceptable(candidate, found.length);
  const { source, files, desired } = candidate;
  const { declarations } = merge([{ source, revision: '', files, desired }]);
  const declared = await Promise.all([...declarations.values()].map((one) => planDeclared(planner, one)));
  const orphans = found.filter((id) => !declarations.has(formatWorkload(id)));
  const removed = await Promise.all(orphans.map((id) => planFor(planner, id, {})));
  return [...declared, ...removed];
}

function requireAcceptable({ source, files, desired }: Candidate, orphans: number): void {
  const loaded = { desired };
  const verdict = acceptRevision({
    source,
    revision: '',
    files,
    loaded,
    previous: undefined,
    orphans,
    allowEmpty: false,
  });
  if ('refused' in verdict) throw new Error(verdict.errors.map(({ message }) => message).join('\n'));
}

const NOTHING = { steps: [], waits: [] };

async function planDeclared(planner: Planner, { id, workload, desired }: Declaration): Promise<WorkloadPlan> {
  try {
    const digests = await resolveAll(planner, { id, workload, desired });
    return await planFor(planner, id, {
      pods: desiredPods({ workload, digests, desired }),
      declared: { workload, desired },
    });
  } catch (error) {
    planner.signal.throwIfAborted();
    return { workload: id, plan: NOTHING, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** As the agent does it: what was resolved for the same template stays, everything else is asked for. */
async function resolveAll(
  { record, images, signal }: Planner,
  { id, workload, desired }: Pick<Declaration, 'id' | 'workload' | 'desired'>,
): Promise<Map<string, string>> {
  const known = record?.resolutions[formatWorkload(id)];
  if (known !== undefined && known.template === templateKey(workload, desired)) {
    return new Map(Object.entries(known.digests));
  }
  const answers = imageRequests(workload).map(async (request): Promise<[string, string]> => {
    return [request.reference, await images.resolve(request, signal)];
  });
  return new Map(await Promise.all(answers));
}

type Wanted = { readonly pods?: readonly DesiredPod[]; readonly declared?: Declared };

async function planFor(
  { observer }: Planner,
  workload: WorkloadId,
  { pods: desired, declared }: Wanted,
): Promise<WorkloadPlan> {
  const run = await runOf({ id: workload, declared }, observer);
  const actual = await observer.pods(
    workload,
    (desired ?? []).map(({ name }) => name),
  );
  const digests = (desired ?? []).flatMap(({ containers }) => containers.map(({ image }) => image.digest));
  const facts = [...new Set(digests)].map(async (digest): Promise<[string, ImageFact]> => {
    return [digest, { state: (await observer.hasImage(digest)) ? 'present' : 'absent' }];
  });
  const situation: Situation = {
    workload,
    desired,
    serving: undefined,
    actual,
    ...(run === undefined ? {} : { run }),
    ...(declared?.workload.isOrdered === true ? { isOrdered: true } : {}),
    images: new Map(await Promise.all(facts)),
    failures: new Map(),
    now: Date.now(),
  };
  return { workload, plan: plan(situation), problem: undefined };
}
