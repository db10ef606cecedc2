// The lock on one layer: held by whoever unpacks, marks or removes it, in whatever process.
import { rmSync } from 'node:fs';

import { lock, tryLock } from '../../linux/flock.ts';
import type { LayerPaths } from './layer-paths.ts';

/** Wait for the lock. Rejects when `signal` aborts. */
export async function layerLock(paths: LayerPaths, signal: AbortSignal | undefined): Promise<Disposable> {
  return leavingNothing(paths, await lock(paths.lock, 'exclusive', signal));
}

/** Undefined when somebody else has it. */
export function tryLayerLock(paths: LayerPaths): Disposable | undefined {
  const held = tryLock(paths.lock);
  return held === undefined ? undefined : leavingNothing(paths, held);
}

/** Removes the file with the lock still held, which flock.ts allows, so that files of past layers do not pile up. */
function leavingNothing(paths: LayerPaths, held: Disposable): Disposable {
  let released = false;
  return {
    [Symbol.dispose]: () => {
      if (released) return;
      released = true;
      rmSync(paths.lock, { force: true });
      held[Symbol.dispose]();
    },
  };
}
