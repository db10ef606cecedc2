// What makes a container or a pod another one. Each hash has parts, so that a plan can say what changed.
import { createHash } from 'node:crypto';

import { wantsInit } from '../spec/annotations.ts';
import type { ConfigData, ConfigReference, ContainerSpec, EnvEntry, PodSpec, Volume } from '../spec/model.ts';
import { shortDigest } from './canonical.ts';
import type { WorkloadId } from './effects.ts';

/** Changing this annotation restarts every container, as `kubectl rollout restart` does it. */
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

const CONTAINER_PARTS = ['template', 'image', 'configuration'] as const;
const POD_PARTS = [
  'host name, network or namespaces',
  'published ports',
  'emptyDir volumes',
  'init containers',
] as const;

/** ConfigMaps and Secrets of one namespace, to look references up in. */
export type Configs = { readonly configMaps: readonly ConfigData[]; readonly secrets: readonly ConfigData[] };

export type ContainerHashInput = {
  readonly pod: PodSpec;
  readonly container: ContainerSpec;
  readonly digest: string;
  readonly configs: Configs;
};

/**
 * `template-image-configuration`, 16 hex digits each. Ports are the pod's, the pull policy changes nothing that runs,
 * and of the image only the digest counts: another tag for the same image restarts nothing. Nor does the content of a
 * volume, which reaches running containers (`volumesHash`), unless it is mounted by subPath.
 */
export function containerHash({ pod, container, digest, configs }: ContainerHashInput): string {
  const { env, command, args, workingDir, volumeMounts, resources, security, health } = container;
  const volumes = mountedVolumes(pod, container);
  const fixed = volumes.filter(({ name }) => isMountedInPart(name, container));
  const template = {
    command,
    args,
    workingDir,
    volumeMounts,
    resources,
    security,
    health,
    env: env.map(withoutOptional),
    fields: env.flatMap((entry) => fieldValues(entry, pod)),
    volumes: volumes.filter((volume) => volume.kind !== 'emptyDir').map(withoutOptional),
    restartedAt: pod.annotations[RESTARTED_AT],
    init: wantsInit(pod) ? true : undefined,
  };
  const configuration = [
    ...env.map((entry) => envContent(entry, configs)),
    ...fixed.map((volume) => volumeContent(volume, configs)),
  ].filter((content) => content !== undefined);
  return [shortDigest(template), shortDigest(digest), shortDigest(configuration)].join('-');
}

/**
 * `host-ports-volumes`, 16 hex digits each: what the sandbox is made of. `first`, the hashes of what runs before the other
 * containers, adds a part: what they have done cannot be done again beside those that run.
 */
export function podHash(pod: PodSpec, first: readonly string[] = []): string {
  const ports = pod.containers
    .flatMap((container) => container.ports)
    .filter((port) => port.hostPort !== undefined)
    .map(({ hostIP, hostPort, protocol, containerPort }) => `${hostIP ?? ''}:${hostPort}:${containerPort}/${protocol}`);
  const volumes = pod.volumes.filter((volume) => volume.kind === 'emptyDir');
  const volumesByName = Object.fromEntries(volumes.map((volume) => [volume.name, volume]));
  const { hostname, hostNetwork, hostPID, hostIPC, hostAliases, dns, sysctls } = pod;
  const host = { hostname, hostNetwork, hostPID, hostIPC, hostAliases, dns, sysctls };
  const parts = [host, ports.sort(), volumesByName, ...(first.length === 0 ? [] : [first])];
  return parts.map(shortDigest).join('-');
}

/** What the config volumes of a pod are to hold, 16 hex digits; undefined where it has none. */
export function volumesHash(pod: PodSpec, configs: Configs): string | undefined {
  const volumes = pod.volumes.filter((volume) => volume.kind === 'config');
  if (volumes.length === 0) return undefined;
  return shortDigest(volumes.map((volume) => [withoutOptional(volume), volumeContent(volume, configs)]));
}

/** A UUID (version 8 of RFC 9562) that follows from its arguments: the same pod is the same directory after a reboot. */
export function podUid(workload: WorkloadId, podName: string, hash: string): string {
  const identity = [workload.kind, workload.namespace, workload.name, podName, hash].join('/');
  const hex = createHash('sha256').update(identity).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** What differs between two container hashes, in words: `image`, `template and configuration`. */
export function changedInContainer(before: string, after: string): string {
  return changedParts(CONTAINER_PARTS, before, after);
}

/** What differs between two pod hashes, in words. */
export function changedInPod(before: string, after: string): string {
  return changedParts(POD_PARTS, before, after);
}

function changedParts(names: readonly string[], before: string, after: string): string {
  const [old, now] = [before.split('-'), after.split('-')];
  const longer = old.length > now.length ? old : now;
  const changed = longer.flatMap((_, index) => (old[index] === now[index] ? [] : [names[index] ?? 'more']));
  return changed.length === 0 ? 'nothing' : changed.join(' and ');
}

function mountedVolumes(pod: PodSpec, container: ContainerSpec): Volume[] {
  const mounted = new Set(container.volumeMounts.map((mount) => mount.volume));
  return pod.volumes.filter((volume) => mounted.has(volume.name));
}

/** A subPath is mounted as it was at the start: no change reaches it. */
function isMountedInPart(volume: string, { volumeMounts }: ContainerSpec): boolean {
  return volumeMounts.some((mount) => mount.volume === volume && (mount.subPath ?? mount.subPathExpr) !== undefined);
}

/** Whether a reference may lead nowhere does not change what runs. */
function withoutOptional(entry: EnvEntry | Volume): unknown {
  if (!('source' in entry)) return entry;
  return { ...entry, source: { kind: entry.source.kind, name: entry.source.name } };
}

/** `metadata.labels['app']` in the environment makes that label part of the container. */
function fieldValues(entry: EnvEntry, pod: PodSpec): unknown[] {
  if (entry.from !== 'field') return [];
  const match = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(entry.fieldPath);
  if (match === null) return [];
  const values = match[1] === 'labels' ? pod.labels : pod.annotations;
  return [values[match[2] ?? ''] ?? null];
}

function envContent(entry: EnvEntry, configs: Configs): unknown {
  if (entry.from !== 'key' && entry.from !== 'all') return undefined;
  const data = findConfig(entry.source, configs);
  if (data === undefined) return null;
  return entry.from === 'all' ? data.entries : (data.entries.get(entry.key) ?? null);
}

function volumeContent(volume: Volume, configs: Configs): unknown {
  if (volume.kind !== 'config') return undefined;
  const data = findConfig(volume.source, configs);
  if (data === undefined || volume.items === undefined) return data?.entries ?? null;
  return volume.items.map(({ key }) => data.entries.get(key) ?? null);
}

/** The ConfigMap or Secret that a reference names, or `undefined`. `configs` holds one namespace. */
export function findConfig(reference: ConfigReference, configs: Configs): ConfigData | undefined {
  const candidates = reference.kind === 'Secret' ? configs.secrets : configs.configMaps;
  return candidates.find((candidate) => candidate.name === reference.name);
}
