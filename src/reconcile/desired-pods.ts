// A workload and its resolved images → the pods that shall exist. Pure. Names: docs/decisions/0003-pod-names.md.
import type { ConfigReference, Desired, PodSpec, Volume, Workload } from '../spec/model.ts';
import { shortDigest } from './canonical.ts';
import type { DesiredPod, ImageRequest, WorkloadId } from './effects.ts';
import { containerHash, podHash, podUid, volumesHash, type Configs } from './hash.ts';

export type DesiredPodsInput = {
  readonly workload: Workload;
  /** Image reference as written → digest. Holds every reference of the workload. */
  readonly digests: ReadonlyMap<string, string>;
  /** Where the workload comes from, for its ConfigMaps and Secrets. */
  readonly desired: Desired;
};

/** The pods of a workload, in the order of their ordinals. Throws a RangeError when `digests` lacks a reference. */
export function desiredPods({ workload, digests, desired }: DesiredPodsInput): DesiredPod[] {
  const configs = referencedConfigs(workload, desired);
  const id = workloadId(workload);
  const containers = workload.pod.containers.map((container) => {
    const digest = digests.get(container.image);
    if (digest === undefined) throw new RangeError(`No digest for image '${container.image}' of ${workload.name}`);
    return {
      name: container.name,
      hash: containerHash({ pod: workload.pod, container, digest, configs }),
      image: { reference: container.image, digest },
      spec: container,
    };
  });
  const first = containers.filter(({ spec }) => spec.role !== 'main');
  const hash = podHash(
    workload.pod,
    first.map((container) => container.hash),
  );
  const volumes = volumesHash(workload.pod, configs);
  return podNames(workload).map((name, ordinal) => ({
    workload: id,
    namespace: workload.namespace,
    name,
    uid: podUid(id, name, hash),
    hash,
    ...(volumes === undefined ? {} : { volumes }),
    spec: podOf(workload.pod, ordinal),
    containers,
    ...configs,
  }));
}

function isOwn(volume: Volume): volume is Extract<Volume, { kind: 'claim' }> {
  return volume.kind === 'claim' && volume.perPod === true;
}

/** Claims of its own have the pod's ordinal in their names. */
function podOf(pod: PodSpec, ordinal: number): PodSpec {
  if (!pod.volumes.some(isOwn)) return pod;
  const volumes = pod.volumes.map((volume) =>
    isOwn(volume) ? { ...volume, claim: `${volume.claim}-${ordinal}` } : volume,
  );
  return { ...pod, volumes };
}

/** `web` for a Pod; `web-0` … `web-(n-1)` for all others: a replica keeps its name when its template changes. */
export function podNames(workload: Workload): string[] {
  if (workload.kind === 'Pod') return [workload.name];
  return Array.from({ length: workload.replicas }, (_, ordinal) => `${workload.name}-${ordinal}`);
}

/** The id of a declared workload. */
export function workloadId({ kind, namespace, name }: Workload): WorkloadId {
  return { kind, namespace, name };
}

/** Every image of the workload once. Where containers disagree about the policy, `Always` wins. */
export function imageRequests(workload: Workload): ImageRequest[] {
  const requests = new Map<string, ImageRequest>();
  for (const { image, imagePullPolicy } of workload.pod.containers) {
    if (requests.has(image) && imagePullPolicy !== 'Always') continue;
    requests.set(image, { reference: image, policy: imagePullPolicy });
  }
  return [...requests.values()];
}

/** Changes when the images of a workload are to be resolved again: with its template or the content it uses. */
export function templateKey(workload: Workload, desired: Desired): string {
  const configs = referencedConfigs(workload, desired);
  const containers = workload.pod.containers.map((container) =>
    containerHash({ pod: workload.pod, container, digest: '', configs }),
  );
  return shortDigest({ pod: podHash(workload.pod), containers, images: imageRequests(workload) });
}

/**
 * Changes when what a workload that comes to an end is to do changes: then it is to be done anew. Which image a tag stands for
 * does not count, nor how many pods there are.
 */
export function runKey(workload: Workload, desired: Desired): string {
  const { pod, template } = { pod: workload.pod, template: templateKey(withoutPolicy(workload), desired) };
  return shortDigest({ template, restartPolicy: pod.restartPolicy });
}

function withoutPolicy(workload: Workload): Workload {
  const containers = workload.pod.containers.map((one) => ({ ...one, imagePullPolicy: 'IfNotPresent' as const }));
  return { ...workload, pod: { ...workload.pod, containers } };
}

/** Changes when anything about a workload does, the content that it uses included; but not with its place in a file. */
export function declarationKey(workload: Workload, desired: Desired): string {
  return shortDigest({ workload, configs: referencedConfigs(workload, desired) });
}

function referencedConfigs(workload: Workload, desired: Desired): Configs {
  const used = new Set(references(workload).map(({ kind, name }) => `${kind}/${name}`));
  const isUsed = (kind: ConfigReference['kind']) => (data: { namespace: string; name: string }) =>
    data.namespace === workload.namespace && used.has(`${kind}/${data.name}`);
  return {
    configMaps: desired.configMaps.filter(isUsed('ConfigMap')),
    secrets: desired.secrets.filter(isUsed('Secret')),
  };
}

function references({ pod }: Workload): ConfigReference[] {
  const env = pod.containers.flatMap((container) => container.env);
  return [...env, ...pod.volumes].flatMap((user) => ('source' in user ? [user.source] : []));
}
