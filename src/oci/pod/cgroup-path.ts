// Where the cgroups of containers are: those with the default device rules side by side, below one that has these rules.
import { hasDefaultDevices } from '../runtime/generate-config.ts';
import type { ContainerOptions } from '../runtime/generate-config.ts';

type Parent = { readonly cgroupParent: string };

/** The cgroup above every container that may use the default devices and no other. */
export function confinedCgroup({ cgroupParent }: Parent): string {
  return `${cgroupParent}/confined`;
}

/** The cgroup of one container. */
export function containerCgroup(
  paths: Parent,
  container: Pick<ContainerOptions, 'privileged' | 'capabilitiesAdd' | 'capabilitiesDrop'> & { readonly id: string },
): string {
  return `${hasDefaultDevices(container) ? confinedCgroup(paths) : paths.cgroupParent}/${container.id}`;
}
