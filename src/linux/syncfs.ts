// syncfs(2): write everything of one file system to the disk.
import { libc } from './libc.ts';

type Callback = (error: Error | null, result: number) => void;
const c_syncfs: { async(fd: number, callback: Callback): void } = libc.func('int syncfs(int fd)');

/**
 * Write back all that is dirty in the file system of the open file `fd`, on a thread of the pool. Since Linux 5.8 it
 * rejects when anything could not be written since `fd` was opened, or synced before: asking again would not tell.
 */
export function syncfs(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    c_syncfs.async(fd, (error, result) => {
      if (error === null && result === 0) return resolve();
      // errno stays on the thread that made the call; for an open descriptor syncfs(2) knows only these.
      reject(error ?? new Error(`syncfs(${fd}): EIO, ENOSPC or EDQUOT`));
    });
  });
}
