// The tour that newcomers take first: it works, and leaves nothing behind, also when it is cut short.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { assertNoLeaksSince, snapshot } from './leaks.ts';

const RUN = fileURLToPath(new URL('../../examples/quickstart/run.sh', import.meta.url));
const root = process.getuid?.() === 0;
const asRoot = root ? test : test.skip;
const why = root ? '' : ' (skipped: needs root)';

type Tour = { readonly output: string; readonly code: number | null };

/** Take the tour in a temporary directory of its own; `interruptAt` is what it prints when Ctrl-C is pressed. */
async function takeTour(t: ExecutionContext, interruptAt?: string): Promise<Tour> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-tour-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const before = snapshot({ directories: [directory] });
  const child = spawn('sh', [RUN, '--once'], {
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.on('data', (chunk: Buffer) => {
    if (interruptAt !== undefined && chunk.toString().includes(interruptAt)) child.kill('SIGINT');
  });
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  t.is(complaints, '');
  await assertNoLeaksSince(before);
  const parent = `/berth-quickstart-${child.pid}`;
  t.deepEqual(snapshot({ cgroupParent: parent, parts: ['cgroups', 'processes'] }).found.cgroups, []);
  return { output, code: child.exitCode };
}

asRoot(`the tour starts, changes, heals, measures, and leaves nothing behind${why}`, async (t) => {
  const { output, code } = await takeTour(t);
  t.is(code, 0, output);
  for (const sign of [
    'Hello, I am web-',
    'Ahoy, I am web-',
    'runs again, pid',
    'container_restarts_total',
    'are gone',
  ]) {
    t.true(output.includes(sign), `${sign} is not in:\n${output}`);
  }
});

asRoot(`Ctrl-C while containers start leaves nothing behind${why}`, async (t) => {
  const { output } = await takeTour(t, '2. A Deployment');
  t.true(output.includes('Cleaning up'), output);
  t.false(output.includes('5. What Prometheus sees'), output);
});

asRoot(`Ctrl-C while a container heals leaves nothing behind${why}`, async (t) => {
  const { output } = await takeTour(t, 'kill -9');
  t.true(output.includes('Cleaning up'), output);
});
