// Every default of the manifest format, in one place. docs/manifests.md explains those that differ from Kubernetes.
import { parseReference } from '../oci/image/reference.ts';

import type { ContainerSpec, Resources, Security } from './model.ts';
import { parseQuantity, toMillis, toUnits } from './quantity.ts';
import type { ResourcesManifest } from './schema/resources.ts';
import type { ContainerSecurityManifest, PodSecurityManifest } from './schema/security.ts';

export const DEFAULTS = {
  namespace: 'default',
  replicas: 1,
  completions: 1,
  parallelism: 1,
  /** How often a Job may fail. */
  backoffLimit: 6,
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  protocol: 'TCP',
  /** Of the files of a ConfigMap or Secret. */
  fileMode: 0o644,
} as const;

/** As Kubernetes: what can move under its name (`latest`, said or meant) is asked for every time. */
export function defaultPullPolicy(image: string): ContainerSpec['imagePullPolicy'] {
  return parseReference(image).tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/**
 * What a container may do. Its own settings win over the pod's. Unlike Kubernetes, no_new_privs and the default
 * seccomp filter are on unless the manifest says otherwise; a privileged container has neither.
 */
export function securityDefaults(
  pod: PodSecurityManifest | null | undefined,
  container: ContainerSecurityManifest | null | undefined,
): Security {
  const privileged = container?.privileged ?? false;
  const seccomp = container?.seccompProfile ?? pod?.seccompProfile;
  return {
    runAsUser: container?.runAsUser ?? pod?.runAsUser ?? undefined,
    runAsGroup: container?.runAsGroup ?? pod?.runAsGroup ?? undefined,
    runAsNonRoot: container?.runAsNonRoot ?? pod?.runAsNonRoot ?? false,
    supplementalGroups: [
      ...(pod?.supplementalGroups ?? []),
      ...(typeof pod?.fsGroup === 'number' ? [pod.fsGroup] : []),
    ],
    capabilitiesAdd: container?.capabilities?.add ?? [],
    capabilitiesDrop: container?.capabilities?.drop ?? [],
    privileged,
    readOnlyRootFilesystem: container?.readOnlyRootFilesystem ?? false,
    allowPrivilegeEscalation: container?.allowPrivilegeEscalation ?? privileged,
    seccomp: (seccomp?.type ?? (privileged ? 'Unconfined' : 'RuntimeDefault')) as Security['seccomp'],
  };
}

/** Limits in the kernel's units; a request that is not given is the limit, as in Kubernetes. */
export function resourceDefaults(resources: ResourcesManifest | null | undefined): Resources {
  const limits = resources?.limits;
  const requests = resources?.requests;
  return {
    cpuLimitMillis: quantity(limits?.cpu, toMillis),
    cpuRequestMillis: quantity(requests?.cpu ?? limits?.cpu, toMillis),
    memoryLimitBytes: quantity(limits?.memory, toUnits),
    memoryRequestBytes: quantity(requests?.memory ?? limits?.memory, toUnits),
    pidsLimit: quantity(limits?.pids, toUnits),
  };
}

/** A quantity that the schema has checked, in the unit of `convert`; undefined for none. */
export function quantity(
  written: string | number | bigint | null | undefined,
  convert: (nanos: bigint) => number | undefined,
): number | undefined {
  if (written === null || written === undefined) return undefined;
  const nanos = parseQuantity(String(written));
  return nanos === undefined ? undefined : convert(nanos);
}
