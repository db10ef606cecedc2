// flock(2): locks between processes, released by the kernel when their holder dies.
import { closeSync, fstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { check, isErrno } from './errno.ts';
import { libc } from './libc.ts';

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

type CFlock = (fd: number, operation: number) => number;
const c_flock: CFlock = libc.func('int flock(int fd, int operation)');

export type LockMode = 'shared' | 'exclusive';

/**
 * Try to lock `path` (created with its directory when missing) without waiting. Returns `undefined` when another open
 * file description holds a conflicting lock. Disposing unlocks. Whoever holds the lock may unlink its file before that.
 * Throws SyscallError on anything else.
 */
export function tryLock(path: string, mode: LockMode = 'exclusive'): Disposable | undefined {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fd = openSync(path, 'a', 0o600);
  try {
    check(c_flock(fd, (mode === 'shared' ? LOCK_SH : LOCK_EX) | LOCK_NB), 'flock', () => path);
  } catch (error) {
    closeSync(fd);
    if (isErrno(error, 'EAGAIN', 'EWOULDBLOCK')) return undefined;
    throw error;
  }
  if (!isNamed(fd, path)) {
    closeSync(fd);
    return tryLock(path, mode);
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}

/** Whether somebody holds an exclusive lock on the file. Never makes the file: false when there is none. */
export function isLocked(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
  try {
    check(c_flock(fd, LOCK_SH | LOCK_NB), 'flock', () => path);
    return false;
  } catch (error) {
    if (isErrno(error, 'EAGAIN', 'EWOULDBLOCK')) return true;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Wait for a lock on `path`, asking again with a growing pause (1 to 50 ms). Rejects when `signal` aborts. */
export async function lock(path: string, mode: LockMode = 'exclusive', signal?: AbortSignal): Promise<Disposable> {
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
    const held = tryLock(path, mode);
    if (held !== undefined) return held;
    await sleep(pauseMs, undefined, signal === undefined ? {} : { signal });
  }
}

// The last holder may have unlinked the file between our open and flock: then nobody else would ever meet our lock.
function isNamed(fd: number, path: string): boolean {
  const named = statSync(path, { bigint: true, throwIfNoEntry: false });
  const held = fstatSync(fd, { bigint: true });
  return named !== undefined && named.ino === held.ino && named.dev === held.dev;
}
