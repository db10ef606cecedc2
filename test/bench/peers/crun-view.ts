// crun (and podman) refuse a machine whose controllers are on cgroup v1 while cgroup2 has some too. In a mount namespace where
// hugetlb is mounted as a v1 hierarchy, cgroup2 has none left, and they run. Nothing else changes, and it ends with the bench.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Scene } from '../scene.ts';

const UNIFIED = '/sys/fs/cgroup/unified/cgroup.controllers';
const HOLD =
  'for _ in $(seq 100); do mount -t cgroup -o hugetlb none "$1" 2>/dev/null && break; sleep 0.1; done; echo ready; read _; umount "$1"';

/** The mount namespace to run crun in; undefined where it can run in this one. Ends with the scene. */
export async function crunMountNamespace({ directory, cleanup }: Scene): Promise<string | undefined> {
  if (!existsSync(UNIFIED) || readFileSync(UNIFIED, 'utf8').trim() === '') return undefined;
  const mountPoint = join(directory, 'hugetlb');
  mkdirSync(mountPoint);
  const holder = spawn('unshare', ['-m', '--propagation', 'private', 'sh', '-c', HOLD, 'sh', mountPoint], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  cleanup.defer(async () => {
    const ended = once(holder, 'exit');
    holder.stdin.end();
    await ended;
  });
  await once(holder.stdout, 'data');
  return `/proc/${holder.pid}/ns/mnt`;
}
