// How far a pod has come: its init containers, then the others, then the end. Pure.
import type { ActualPod, DesiredPod } from './effects.ts';
import { isFinished } from './restart.ts';

/** Whether the init containers are done: none of the others is ever started before. */
export function isInitialized(pod: ActualPod | undefined): boolean {
  return pod?.containers.some(({ role }) => role === 'main') ?? false;
}

/** Whether every container that the pod is for has ended for good. */
export function isOver({ containers, spec }: DesiredPod, actual: ActualPod | undefined): boolean {
  const wanted = containers.filter((container) => container.spec.role === 'main');
  return wanted.every(({ name, hash }) => {
    const found = actual?.containers.filter((candidate) => candidate.name === name) ?? [];
    return found.length > 0 && found.every((one) => one.hash === hash && isFinished(one, spec.restartPolicy));
  });
}
