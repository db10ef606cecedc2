// The containers of a pod wherever they are declared.
import type { Path } from '../document.ts';
import type { InitContainerManifest } from './container.ts';
import type { PodSpecManifest } from './pod.ts';

type Place = { readonly entry: InitContainerManifest; readonly path: Path };

/** Every container of a pod in the order in which they start, with its path from the pod's spec. */
export function containersOf({ initContainers: first, containers: others }: PodSpecManifest): readonly Place[] {
  return [
    ...(first ?? []).map((entry, index) => ({ entry, path: ['initContainers', index] })),
    ...others.map((entry, index) => ({ entry, path: ['containers', index] })),
  ];
}
