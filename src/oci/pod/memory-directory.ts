// Where a pod has what must not be on a disk: Secrets, and emptyDir volumes of medium Memory.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import type { HostPaths } from '../host.ts';
import { podPaths } from './pod-paths.ts';

/** statfs(2), <linux/magic.h>. */
const TMPFS_MAGIC = 0x01021994;
const RAMFS_MAGIC = 0x858458f6;
/** The tmpfs that every Linux has, for POSIX shared memory (shm_overview(7)). */
const SHARED_MEMORY = '/dev/shm';

/**
 * A directory of the pod in memory, which need not exist: below the state directory where that is a tmpfs, as /run is;
 * else below /dev/shm, so that nothing has to be mounted. Root alone can enter it.
 */
export function memoryDirectory(paths: HostPaths, uid: string): string {
  if (isMemory(paths.state)) return join(podPaths(paths, uid).run, 'volumes');
  return join(sharedMemory(paths), uid);
}

/** As `memoryDirectory`, made. Throws an Error where this machine has no tmpfs for it. */
export function makeMemoryDirectory(paths: HostPaths, uid: string): string {
  const directory = memoryDirectory(paths, uid);
  if (existsSync(directory)) return directory;
  if (!isMemory(paths.state) && !isMemory(SHARED_MEMORY)) {
    throw new Error(`Neither ${paths.state} nor ${SHARED_MEMORY} is a tmpfs: there is no memory to keep Secrets in`);
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** Remove what a pod has in memory, with the directory of all pods when this was the last. Idempotent. */
export async function removeMemory(paths: HostPaths, uid: string): Promise<void> {
  await rm(memoryDirectory(paths, uid), { recursive: true, force: true });
  try {
    await rmdir(sharedMemory(paths));
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}

/** All that the pods of a state directory have in /dev/shm. */
function sharedMemory({ state }: HostPaths): string {
  return join(SHARED_MEMORY, `berth-${createHash('sha256').update(state).digest('hex').slice(0, 16)}`);
}

function isMemory(path: string): boolean {
  const { type } = statfsSync(path);
  return type === TMPFS_MAGIC || type === RAMFS_MAGIC;
}
