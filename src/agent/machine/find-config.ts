// From a reference to the ConfigMap or Secret of the same namespace.
import type { DesiredPod } from '../../reconcile/effects.ts';
import type { ConfigData, ConfigReference } from '../../spec/model.ts';

/** The ConfigMap or Secret of the pod's namespace that a reference means. */
export function findConfig(pod: DesiredPod, { kind, name }: ConfigReference): ConfigData | undefined {
  return (kind === 'ConfigMap' ? pod.configMaps : pod.secrets).find((data) => data.name === name);
}
