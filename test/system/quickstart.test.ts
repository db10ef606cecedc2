// The tour that newcomers take first: it works, and leaves nothing behind, also when it is cut short.
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { assertNoLeaksSince, snapshot } from './leaks.ts';

const RUN = fileURLToPath(new URL('../../examples/quickstart/run.sh', import.meta.url));
const root = process.getuid?.() === 0;
const asRoot = root ? test : test.skip;
const why = root ? '' : ' (skipped: needs root)';

type Tour = { readonly output: string; readonly code: number | null };

type Child = ChildProcessByStdio<null, Readable, Readable>;
/** What is done to the tour, and what it prints before. */
type Interruption = { readonly at: string; readonly how: (child: Child) => void };

const ctrlC = (child: Child): void => void child.kill('SIGINT');

/** Take the tour in a temporary directory of its own. */
async function takeTour(t: ExecutionContext, interruption?: Interruption): Promise<Tour> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-tour-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const before = snapshot({ directories: [directory] });
  const child = spawn('sh', [RUN, '--once'], {
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (interruption !== undefined && chunk.toString().includes(interruption.at)) interruption.how(child);
  });
  const [complaints] = await Promise.all([text(child.stderr), once(child, 'exit')]);
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

asRoot(`a reader that goes away ends the tour, and nothing is left behind${why}`, async (t) => {
  await takeTour(t, { at: 'curl http', how: (child) => child.stdout.destroy() });
});

asRoot(`Ctrl-C while containers start leaves nothing behind${why}`, async (t) => {
  const { output } = await takeTour(t, { at: '2. A Deployment', how: ctrlC });
  t.true(output.includes('Cleaning up'), output);
  t.false(output.includes('5. What Prometheus sees'), output);
});

asRoot(`Ctrl-C while a container heals leaves nothing behind${why}`, async (t) => {
  const { output } = await takeTour(t, { at: 'kill -9', how: ctrlC });
  t.true(output.includes('Cleaning up'), output);
});
