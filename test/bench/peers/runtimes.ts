// crun and runc: the runtimes that start a bundle as a command.
import { join } from 'node:path';

import { findProgram, runProgram } from '../program.ts';
import type { Scene } from '../scene.ts';
import { crunView, type CrunView } from './crun-view.ts';

export type PeerRuntime = {
  readonly name: string;
  /** Undefined: it is not installed. */
  readonly command: ((...args: readonly string[]) => Promise<void>) | undefined;
  /** To be called before each run. */
  readonly prepare?: () => Promise<void>;
};

/** Both runtimes, each with state of its own in the scene. */
export async function peerRuntimes(scene: Scene): Promise<readonly PeerRuntime[]> {
  const view = findProgram('crun') === undefined ? undefined : await crunView(scene);
  return [runtime(scene, 'crun', view), runtime(scene, 'runc', undefined)];
}

function runtime(scene: Scene, name: string, view: CrunView | undefined): PeerRuntime {
  const path = findProgram(name);
  if (path === undefined) return { name, command: undefined };
  const state = join(scene.state, name);
  const mountNamespace = view?.mountNamespace;
  return {
    name,
    command: (...args) => runProgram([path, '--root', state, ...args], { mountNamespace }),
    ...(view === undefined ? {} : { prepare: view.prepare }),
  };
}
