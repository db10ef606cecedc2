import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { isLocked, lock, tryLock } from '../../src/linux/flock.ts';

function lockPath(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-flock-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return join(directory, 'new', 'lock');
}

test('an exclusive lock keeps others out until it is disposed', (t) => {
  const path = lockPath(t);
  const held = tryLock(path);
  t.truthy(held);
  t.is(tryLock(path), undefined);
  t.is(tryLock(path, 'shared'), undefined);
  held?.[Symbol.dispose]();
  using again = tryLock(path);
  t.truthy(again);
});

test('shared locks go together and keep exclusive ones out', (t) => {
  const path = lockPath(t);
  using one = tryLock(path, 'shared');
  using two = tryLock(path, 'shared');
  t.truthy(one);
  t.truthy(two);
  t.is(tryLock(path), undefined);
});

test('a lock is waited for, and the waiting can be aborted', async (t) => {
  const path = lockPath(t);
  const held = await lock(path);
  await t.throwsAsync(lock(path, 'exclusive', AbortSignal.timeout(5)), { name: 'AbortError' });
  const waiting = lock(path);
  held[Symbol.dispose]();
  using got = await waiting;
  t.truthy(got);
});

test('a lock file may be unlinked by its holder: whoever waited gets a lock that others meet', async (t) => {
  const path = lockPath(t);
  const held = await lock(path);
  const waiting = lock(path);
  rmSync(path);
  held[Symbol.dispose]();
  using got = await waiting;
  t.truthy(got);
  t.true(existsSync(path));
  t.is(tryLock(path), undefined);
});

test('asking whether a file is locked neither locks nor makes it', (t) => {
  const path = lockPath(t);
  t.false(isLocked(path));
  t.false(existsSync(path));
  const held = tryLock(path);
  t.true(isLocked(path));
  held?.[Symbol.dispose]();
  t.false(isLocked(path));
  using again = tryLock(path);
  t.truthy(again);
});
