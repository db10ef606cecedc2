// crun and runc: the runtimes that start a bundle as a command.
import { join } from 'node:path';

import { findProgram, runProgram } from '../program.ts';
import type { Scene } from '../scene.ts';
import { crunMountNamespace } from './crun-view.ts';

export type PeerRuntime = {
  readonly name: string;
  /** Undefined: it is not installed. */
  readonly command: ((...args: readonly string[]) => Promise<void>) | undefined;
};

/** Both runtimes, each with state of its own in the scene. */
export async function peerRuntimes(scene: Scene): Promise<readonly PeerRuntime[]> {
  const mountNamespace = findProgram('crun') === undefined ? undefined : await crunMountNamespace(scene);
  return [runtime(scene, 'crun', mountNamespace), runtime(scene, 'runc', undefined)];
}

function runtime(scene: Scene, name: string, mountNamespace: string | undefined): PeerRuntime {
  const path = findProgram(name);
  if (path === undefined) return { name, command: undefined };
  const state = join(scene.state, name);
  return { name, command: (...args) => runProgram([path, '--root', state, ...args], { mountNamespace }) };
}
