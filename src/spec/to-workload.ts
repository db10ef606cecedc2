// Checked manifests → the model. Nothing can go wrong here any more.
import { DEFAULTS } from './defaults.ts';
import { placeOf, type ManifestDocument, type Path } from './document.ts';
import type { Manifest, WorkloadManifest } from './manifest.ts';
import { isWorkloadKind, type Claim, type PodDns, type PodSpec, type Volume, type Workload } from './model.ts';
import { containersOf } from './schema/containers-of.ts';
import type { PodSpecManifest } from './schema/pod.ts';
import { toJob } from './to-job.ts';
import { toContainer } from './to-container.ts';
import { toVolume } from './to-volume.ts';

/** The part of a manifest that a pod is made from, and where it stands. */
export type PodPart = { readonly spec: PodSpecManifest; readonly path: Path; readonly document: ManifestDocument };

/** Whether a manifest is one of those that keep pods. */
export function isWorkload(manifest: Manifest): manifest is WorkloadManifest {
  return isWorkloadKind(manifest.kind);
}

/** The part of a workload’s manifest that describes its pods, with its path. */
export function podPart(manifest: WorkloadManifest): PodPart {
  const { document } = manifest;
  if (manifest.kind === 'Pod') return { spec: manifest.value.spec, path: ['spec'], document };
  return { spec: manifest.value.spec.template.spec, path: ['spec', 'template', 'spec'], document };
}

/** The workload that a manifest declares, with all defaults filled in. */
export function toWorkload(manifest: WorkloadManifest): Workload {
  const { metadata } = manifest.value;
  const template = manifest.kind === 'Pod' ? metadata : (manifest.value.spec.template.metadata ?? {});
  return {
    kind: manifest.kind,
    namespace: metadata.namespace ?? DEFAULTS.namespace,
    name: metadata.name,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    replicas: replicasOf(manifest),
    pod: withClaims(toPod(podPart(manifest), template), manifest),
    ...(isOrdered(manifest) ? { isOrdered: true } : {}),
    ...(manifest.kind === 'Job' ? { job: toJob(manifest.value.spec) } : {}),
    position: placeOf(manifest.document, []),
  };
}

function isOrdered(manifest: WorkloadManifest): boolean {
  return manifest.kind === 'StatefulSet' && manifest.value.spec.podManagementPolicy !== 'Parallel';
}

/** With a volume for each claim template of a StatefulSet. */
function withClaims(pod: PodSpec, manifest: WorkloadManifest): PodSpec {
  if (manifest.kind !== 'StatefulSet') return pod;
  const volumes = claimTemplates(manifest).map(({ template, claim }): Volume => ({
    kind: 'claim',
    name: template,
    claim,
    readOnly: false,
    perPod: true,
  }));
  return { ...pod, volumes: [...pod.volumes, ...volumes] };
}

function claimTemplates({ value }: StatefulSet): { readonly template: string; readonly claim: string }[] {
  const templates = (value.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
  return templates.map((template) => ({ template, claim: `${template}-${value.metadata.name}` }));
}

type StatefulSet = Extract<Manifest, { kind: 'StatefulSet' }>;

/** The claims that a StatefulSet makes of its templates: `TEMPLATE-NAME-ORDINAL`, as Kubernetes calls them. */
export function claimsOf(manifest: WorkloadManifest): Claim[] {
  if (manifest.kind !== 'StatefulSet') return [];
  const namespace = manifest.value.metadata.namespace ?? DEFAULTS.namespace;
  const position = placeOf(manifest.document, []);
  return claimTemplates(manifest).flatMap(({ claim }) =>
    Array.from({ length: replicasOf(manifest) }, (_, index) => ({ namespace, name: `${claim}-${index}`, position })),
  );
}

function replicasOf(manifest: WorkloadManifest): number {
  switch (manifest.kind) {
    case 'Pod':
    case 'DaemonSet':
      return 1;
    case 'Deployment':
    case 'StatefulSet':
      return manifest.value.spec.replicas ?? DEFAULTS.replicas;
    case 'Job':
      return manifest.value.spec.completions ?? DEFAULTS.completions;
  }
}

type Labelled = {
  readonly labels?: Readonly<Record<string, string>> | null | undefined;
  readonly annotations?: Readonly<Record<string, string>> | null | undefined;
};

function toPod(part: PodPart, { labels, annotations }: Labelled): PodSpec {
  const { spec, path, document } = part;
  return {
    labels: labels ?? {},
    annotations: annotations ?? {},
    hostname: spec.hostname ?? undefined,
    hostNetwork: spec.hostNetwork ?? false,
    hostPID: spec.hostPID ?? false,
    hostIPC: spec.hostIPC ?? false,
    hostAliases: spec.hostAliases ?? [],
    dns: toDns(spec),
    sysctls: Object.fromEntries((spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value])),
    restartPolicy: spec.restartPolicy ?? DEFAULTS.restartPolicy,
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? DEFAULTS.terminationGracePeriodSeconds,
    containers: containersOf(spec).map(({ entry, path: containerPath }) =>
      toContainer(entry, {
        path: [...path, ...containerPath],
        document,
        podSecurity: spec.securityContext,
        role: containerPath[0] === 'containers' ? 'main' : entry.restartPolicy === 'Always' ? 'sidecar' : 'init',
      }),
    ),
    volumes: (spec.volumes ?? []).map((volume, index) =>
      toVolume(volume, { path: [...path, 'volumes', index], document }),
    ),
    ...toFsGroup(spec),
  };
}

function toFsGroup({ securityContext }: PodSpecManifest): Pick<PodSpec, 'fsGroup'> {
  const { fsGroup, fsGroupChangePolicy } = securityContext ?? {};
  if (typeof fsGroup !== 'number') return {};
  return { fsGroup: { gid: fsGroup, policy: fsGroupChangePolicy ?? 'Always' } };
}

/** There is no cluster: `ClusterFirst`, Kubernetes' default, is the machine's own resolvers. */
function toDns({ dnsPolicy, dnsConfig }: PodSpecManifest): PodDns {
  return {
    policy: dnsPolicy === 'None' ? 'None' : 'Default',
    nameservers: dnsConfig?.nameservers ?? [],
    searches: dnsConfig?.searches ?? [],
    options: (dnsConfig?.options ?? []).map(({ name, value }) => (value ? `${name}:${value}` : name)),
  };
}
