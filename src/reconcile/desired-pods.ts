// A workload and its resolved images → the pods that shall exist. Pure. Names: docs/decisions/0003-pod-names.md.
import type { ConfigReference, Desired, Workload } from '../spec/model.ts';
import type { DesiredPod, ImageRequest, WorkloadId } from './effects.ts';
import { containerHash, findConfig, podHash, podUid, type Configs } from './hash.ts';

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
  const hash = podHash(workload.pod);
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
  return podNames(workload).map((name) => ({
    workload: id,
    namespace: workload.namespace,
    name,
    uid: podUid(id, name, hash),
    hash,
    spec: workload.pod,
    containers,
    ...configs,
  }));
}

/** `web` for a Pod; `web-0` … `web-(n-1)` for a Deployment: a replica keeps its name when its template changes. */
export function podNames(workload: Workload): string[] {
  if (workload.kind === 'Pod') return [workload.name];
  return Array.from({ length: workload.replicas }, (_, ordinal) => `${workload.name}-${ordinal}`);
}

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

/** References to ConfigMaps, Secrets and keys that are neither there nor optional, in words. */
export function missingReferences(workload: Workload, desired: Desired): string[] {
  const configs = referencedConfigs(workload, desired);
  const missing = references(workload).flatMap(({ source, keys }) => {
    if (source.optional) return [];
    const data = findConfig(source, configs);
    if (data === undefined) return [`${source.kind} '${source.name}'`];
    return keys.filter((key) => !data.entries.has(key)).map((key) => `key '${key}' of ${source.kind} '${source.name}'`);
  });
  return [...new Set(missing)];
}

type Reference = { readonly source: ConfigReference; readonly keys: readonly string[] };

function references(workload: Workload): Reference[] {
  const { containers, volumes } = workload.pod;
  const env = containers
    .flatMap((container) => container.env)
    .flatMap((entry): Reference[] => {
      if (entry.from === 'key') return [{ source: entry.source, keys: [entry.key] }];
      return entry.from === 'all' ? [{ source: entry.source, keys: [] }] : [];
    });
  const mounted = volumes.flatMap((volume): Reference[] => {
    if (volume.kind !== 'config') return [];
    return [{ source: volume.source, keys: volume.items?.map((item) => item.key) ?? [] }];
  });
  return [...env, ...mounted];
}

function referencedConfigs(workload: Workload, desired: Desired): Configs {
  const used = new Set(references(workload).map(({ source }) => `${source.kind}/${source.name}`));
  const isUsed = (kind: ConfigReference['kind']) => (data: { namespace: string; name: string }) =>
    data.namespace === workload.namespace && used.has(`${kind}/${data.name}`);
  return {
    configMaps: desired.configMaps.filter(isUsed('ConfigMap')),
    secrets: desired.secrets.filter(isUsed('Secret')),
  };
}
