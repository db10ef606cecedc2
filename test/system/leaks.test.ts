import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, closeSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { assertNoLeaks, assertNoLeaksSince, leaksBetween, snapshot } from './leaks.ts';

test('a file that is left behind is named', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-leaks-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const before = snapshot({ directories: [directory] });
  writeFileSync(join(directory, 'left'), '');
  t.deepEqual(leaksBetween(before, snapshot(before.scope)), [`files: ${directory}/left`]);
  t.throws(() => assertNoLeaks(before, snapshot(before.scope)), { message: /left behind:\n {2}files: .*left$/ });
});

test('a process of berth that still holds a file of the test is found, and waited for', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-leaks-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const held = join(directory, 'exit');
  writeFileSync(held, '');
  const before = snapshot({ directories: [directory] });
  const fd = openSync(held, 'r');
  const child = spawn(process.execPath, ['-e', 'process.title="berth-monitor"; process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'ignore', fd],
  });
  closeSync(fd);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  const found = leaksBetween(before, snapshot(before.scope));
  t.is(found.length, 1);
  t.true(found[0]?.startsWith(`processes: ${child.pid} `));
  child.stdin?.end();
  await assertNoLeaksSince(before);
  t.pass();
});
