// crun (and podman) refuse a machine whose controllers are on cgroup v1 while cgroup2 has some too. In a mount namespace where
// hugetlb is mounted as a v1 hierarchy, cgroup2 has none left, and they run. Nothing else changes, and it ends with the bench.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Scene } from '../scene.ts';

const UNIFIED = '/sys/fs/cgroup/unified/cgroup.controllers';
/** Mounts anew for every line that it reads: others who do the same can take the controller back when they end. */
const HOLD = [
  'hold() { for _ in $(seq 100); do mount -t cgroup -o hugetlb none "$1" 2>/dev/null && break; sleep 0.1; done; echo ready; }',
  'hold "$1"; while read _; do umount "$1"; hold "$1"; done; umount "$1"',
].join('\n');

export type CrunView = {
  /** The mount namespace to run crun in; undefined where it can run in this one. */
  readonly mountNamespace: string | undefined;
  /** To be called before each run. */
  readonly prepare: () => Promise<void>;
};

/** Where crun runs. Ends with the scene. */
export async function crunView({ directory, cleanup }: Scene): Promise<CrunView> {
  if (!isHybrid()) return { mountNamespace: undefined, prepare: () => Promise.resolve() };
  const mountPoint = mkdtempSync(join(directory, 'hugetlb-'));
  const holder = spawn('unshare', ['-m', '--propagation', 'private', 'sh', '-c', HOLD, 'sh', mountPoint], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  cleanup.defer(async () => {
    const ended = once(holder, 'exit');
    holder.stdin.end();
    await ended;
  });
  await once(holder.stdout, 'data');
  return {
    mountNamespace: `/proc/${holder.pid}/ns/mnt`,
    prepare: async () => {
      if (!isHybrid()) return;
      holder.stdin.write('\n');
      await once(holder.stdout, 'data');
    },
  };
}

/** Whether cgroup2 has controllers beside those of v1. */
function isHybrid(): boolean {
  return existsSync(UNIFIED) && readFileSync(UNIFIED, 'utf8').trim() !== '';
}
