// A container of a checked manifest → ContainerSpec.
import { DEFAULTS, defaultPullPolicy, resourceDefaults, securityDefaults } from './defaults.ts';
import { placeOf, type ManifestDocument, type Path } from './document.ts';
import type { ConfigReference, ContainerPort, ContainerRole, ContainerSpec, EnvEntry, VolumeMount } from './model.ts';
import type { ContainerManifest, ContainerPortManifest } from './schema/container.ts';
import type { EnvFromManifest, EnvManifest } from './schema/environment.ts';
import type { PodSecurityManifest } from './schema/security.ts';
import type { VolumeMountManifest } from './schema/volume.ts';
import { resourceDivisor } from './resource-field.ts';
import { toHealth } from './to-health.ts';

type Place = { readonly path: Path; readonly document: ManifestDocument };

/** The container at `path`, with the defaults that its pod's security settings make. */
export function toContainer(
  container: ContainerManifest,
  {
    path,
    document,
    podSecurity,
    role,
  }: Place & {
    readonly podSecurity: PodSecurityManifest | null | undefined;
    readonly role: ContainerRole;
  },
): ContainerSpec {
  const { env, envFrom } = container;
  const health = toHealth(container);
  return {
    name: container.name,
    role,
    image: container.image,
    imagePullPolicy: container.imagePullPolicy ?? defaultPullPolicy(container.image),
    command: container.command ?? undefined,
    args: container.args ?? undefined,
    workingDir: container.workingDir ?? undefined,
    env: [
      ...(envFrom ?? []).map((entry, index) => toEnvFrom(entry, { path: [...path, 'envFrom', index], document })),
      ...(env ?? []).map((entry, index) => toEnv(entry, { path: [...path, 'env', index], document })),
    ],
    ports: (container.ports ?? []).map(toPort),
    volumeMounts: (container.volumeMounts ?? []).map(toMount),
    resources: resourceDefaults(container.resources),
    security: securityDefaults(podSecurity, container.securityContext),
    ...(health === undefined ? {} : { health }),
    position: placeOf(document, path),
  };
}

function toEnv({ name, value, valueFrom }: EnvManifest, { path, document }: Place): EnvEntry {
  if (valueFrom?.fieldRef) return { from: 'field', name, fieldPath: valueFrom.fieldRef.fieldPath };
  if (valueFrom?.resourceFieldRef) {
    const { resource, divisor } = valueFrom.resourceFieldRef;
    return { from: 'resource', name, resource, divisor: resourceDivisor(resource, divisor ?? '1') ?? 1 };
  }
  const kind = valueFrom?.secretKeyRef ? 'Secret' : 'ConfigMap';
  const field = kind === 'Secret' ? 'secretKeyRef' : 'configMapKeyRef';
  const key = valueFrom?.[field];
  if (!key) return { from: 'value', name, value: value ?? '' };
  const source = toReference({ kind, ...key }, { path: [...path, 'valueFrom', field, 'name'], document });
  return { from: 'key', name, source, key: key.key };
}

function toEnvFrom({ prefix, configMapRef, secretRef }: EnvFromManifest, { path, document }: Place): EnvEntry {
  const kind = secretRef ? 'Secret' : 'ConfigMap';
  const { name, optional } = secretRef ?? configMapRef ?? { name: '' };
  const namePath = [...path, secretRef ? 'secretRef' : 'configMapRef', 'name'];
  const source = toReference({ kind, name, optional }, { path: namePath, document });
  return { from: 'all', prefix: prefix ?? '', source };
}

/** A reference whose name stands at `path`. */
export function toReference(
  { kind, name, optional }: Pick<ConfigReference, 'kind' | 'name'> & { readonly optional?: boolean | null | undefined },
  { path, document }: Place,
): ConfigReference {
  return { kind, name, optional: optional ?? false, position: placeOf(document, path) };
}

function toPort({ name, containerPort, hostPort, hostIP, protocol }: ContainerPortManifest): ContainerPort {
  return {
    name: name ?? undefined,
    containerPort,
    hostPort: hostPort ?? undefined,
    hostIP: hostIP ?? undefined,
    protocol: protocol ?? DEFAULTS.protocol,
  };
}

function toMount(mount: VolumeMountManifest): VolumeMount {
  const { name, mountPath, readOnly, subPath, subPathExpr, mountPropagation = 'None', recursiveReadOnly } = mount;
  return {
    volume: name,
    mountPath,
    subPath: subPath === '' ? undefined : (subPath ?? undefined),
    ...(subPathExpr ? { subPathExpr } : {}),
    readOnly: readOnly ?? false,
    ...(mountPropagation === 'None' || mountPropagation === null ? {} : { mountPropagation }),
    ...(recursiveReadOnly === 'Disabled' ? { recursiveReadOnly } : {}),
  };
}
