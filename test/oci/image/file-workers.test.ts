import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { FileWorkers, type FileWorkersOptions } from '../../../src/oci/image/file-workers.ts';

function open(t: ExecutionContext, options: FileWorkersOptions = {}): FileWorkers {
  const workers = new FileWorkers(options);
  t.teardown(() => workers[Symbol.asyncDispose]());
  return workers;
}

function tree(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-workers-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'tree/a/b'), { recursive: true });
  writeFileSync(join(directory, 'tree/a/file'), '');
  return directory;
}

test('a thread starts with the first job, is shared by the next, and ends when there is nothing to do', async (t) => {
  const workers = open(t, { threads: 1, idleMs: 20 });
  t.is(workers.threads, 0);
  const directory = tree(t);
  await Promise.all(['tree', 'missing', 'tree'].map((name) => workers.remove(join(directory, name))));
  t.is(workers.threads, 1);
  t.deepEqual(readdirSync(directory), []);
  for (let waited = 0; workers.threads > 0 && waited < 200; waited++) await sleep(10);
  t.is(workers.threads, 0);
});

test('a job that comes while an idle thread ends gets another one', async (t) => {
  const workers = open(t, { threads: 1, idleMs: 0 });
  for (const pauseMs of [0, 1, 2, 0, 1, 3]) {
    await workers.remove('/nonexistent/berth');
    await sleep(pauseMs);
  }
  t.pass();
});

test('a thread that is prepared is used', async (t) => {
  const workers = open(t);
  workers.prepare();
  workers.prepare();
  t.is(workers.threads, 1);
  await workers.remove('/nonexistent/berth');
  t.is(workers.threads, 1);
});

test('what cannot be removed is told, with the call that failed', async (t) => {
  const workers = open(t);
  await t.throwsAsync(workers.remove('/proc/self/status'), {
    name: 'OciError',
    code: 'UNPACK_FAILED',
    message: /unlinkat/,
  });
});

test('jobs fail when the threads are ended under them', async (t) => {
  const workers = open(t);
  const removal = workers.remove('/nonexistent/berth');
  await Promise.all([t.throwsAsync(removal, { code: 'UNPACK_FAILED' }), workers[Symbol.asyncDispose]()]);
});
