// What berth calls a container where one word must do: what a person types to mean it. Pure.
import type { ContainerIdentity } from '../oci/pod/labels.ts';

type Nameable = Pick<ContainerIdentity, 'namespace' | 'pod' | 'container' | 'owner'>;

/** `web-0/server`, `prod/web-0/server`; of `berth run` its name alone. */
export function containerName({ namespace, pod, container, owner }: Nameable): string {
  return owner === 'run' ? pod : `${podName({ namespace, pod })}/${container}`;
}

/** `web-0`, `prod/web-0`. */
export function podName({ namespace, pod }: Pick<Nameable, 'namespace' | 'pod'>): string {
  return namespace === 'default' ? pod : `${namespace}/${pod}`;
}
