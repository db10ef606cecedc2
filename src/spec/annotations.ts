// Annotations of pods that mean something to berth itself.
import type { PodSpec } from './model.ts';

const INIT = 'berth/init';

/** Whether each container's program runs below an init that forwards signals and reaps. */
export function wantsInit({ annotations }: Pick<PodSpec, 'annotations'>): boolean {
  return annotations[INIT] === 'true';
}
