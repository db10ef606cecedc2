// What dockerd, its containerd and a shim take with idle containers, for the benchmark of memory.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { busyboxImage } from '../../tools/image.ts';
import { pushLayout } from '../../tools/push.ts';
import { memoryOf, processesOf } from '../process-memory.ts';
import type { Scene } from '../scene.ts';
import { startDocker } from './engines.ts';
import { startRegistry } from './registry.ts';

const SETTLE_MS = 5000;

export type DockerMemory =
  | { readonly daemons: readonly number[]; readonly shims: readonly number[]; readonly missing?: undefined }
  | { readonly daemons: readonly []; readonly shims: readonly []; readonly missing: string };

/** Resident bytes: of the daemons together (one sample), and of each shim. */
export async function dockerMemory(scene: Scene, containers: number): Promise<DockerMemory> {
  const none = { daemons: [], shims: [] } as const;
  try {
    const engine = await startDocker(scene);
    if (engine?.start === undefined) return { ...none, missing: 'docker is not installed' };
    const registry = await startRegistry(scene);
    const reference = `${registry}/busybox:1`;
    await pushLayout(busyboxImage({ reference }), { origin: `http://${registry}`, repository: 'busybox', tag: '1' });
    await engine.pull(reference);
    for (let count = 0; count < containers; count += 1) await engine.start(reference, 'sleep', '1000000');
    scene.cleanup.defer(() => endAll(scene));
    await sleep(SETTLE_MS);
    const daemons = [...own(scene, 'dockerd'), ...own(scene, 'containerd')].filter((pid) => !isShim(pid));
    return {
      daemons: [daemons.reduce((sum, pid) => sum + memoryOf(pid, 'VmRSS'), 0)],
      shims: own(scene, 'containerd')
        .filter(isShim)
        .map((pid) => memoryOf(pid, 'VmRSS')),
    };
  } catch (error) {
    return { ...none, missing: `docker does not run here: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Their command lines name the scene's directory. */
function own({ directory }: Scene, name: string): number[] {
  return processesOf(name, (pid) => commandLine(pid).includes(join(directory, 'docker')));
}

function isShim(pid: number): boolean {
  return commandLine(pid).includes('containerd-shim');
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** dockerd leaves its containers running: a shim that is told to end takes its container along. */
async function endAll(scene: Scene): Promise<void> {
  for (const pid of own(scene, 'containerd').filter(isShim)) {
    const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    for (const container of child) if (container !== '') process.kill(Number(container), 'SIGKILL');
  }
  while (own(scene, 'containerd').some(isShim)) await sleep(50);
}
