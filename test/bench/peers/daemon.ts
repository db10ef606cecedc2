// A program that serves while a benchmark runs, in a session of its own, its log in the scene.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Scene } from '../scene.ts';

const PATIENCE_MS = 20_000;

/** Start it and wait until `ready` resolves; it is ended with the scene. Rejects with the end of its log. Returns its pid. */
export async function startDaemon(
  { directory, cleanup }: Scene,
  argv: readonly [string, ...string[]],
  ready: () => Promise<unknown>,
): Promise<number> {
  const [path, ...args] = argv;
  const log = join(directory, `${path.split('/').at(-1)}.log`);
  const fd = openSync(log, 'a');
  const child = spawn(path, args, { detached: true, stdio: ['ignore', fd, fd] });
  closeSync(fd);
  const ended = once(child, 'exit');
  cleanup.defer(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  });
  const deadline = Date.now() + PATIENCE_MS;
  while (child.exitCode === null && Date.now() < deadline) {
    const answered = await ready().then(
      () => true,
      () => false,
    );
    if (answered) return child.pid ?? 0;
    await sleep(100);
  }
  throw new Error(`${path} does not answer:\n${readFileSync(log, 'utf8').split('\n').slice(-10).join('\n')}`);
}
