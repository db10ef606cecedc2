// An agent as users start it, in the scene's directory, with a source of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { busyboxImage, saveArchive } from '../tools/image.ts';
import { freePort } from '../../examples/quickstart/machine.ts';
import { processesOf } from './process-memory.ts';
import { runProgram } from './program.ts';
import type { Scene } from './scene.ts';

const BERTH = fileURLToPath(new URL('../../bin/berth', import.meta.url));
const PATIENCE_MS = 60_000;

export type BenchAgent = {
  readonly pid: number;
  readonly source: string;
  readonly home: string;
  readonly state: string;
  /** File of its log. */
  readonly log: string;
};

/** The image that every bench agent has: `localhost/busybox:1`. Ends, and removes all it made, with the scene. */
export async function startAgent(scene: Scene): Promise<BenchAgent> {
  const home = join(scene.directory, 'agent');
  const source = join(home, 'source');
  mkdirSync(source, { recursive: true });
  saveArchive(busyboxImage({ reference: 'localhost/busybox:1' }), join(source, 'images', 'busybox.oci.tar'));
  const place = [
    '--root',
    join(home, 'root'),
    '--state',
    join(scene.state, 'agent'),
    '--cgroup-parent',
    scene.cgroupParent,
  ];
  scene.cleanup.defer(() => runProgram([BERTH, 'reset', '--yes', ...place]));
  const address = `127.0.0.1:${await freePort()}`;
  const log = join(home, 'agent.log');
  const fd = openSync(log, 'a');
  const args = ['agent', '--source', source, '--listen', address, ...place];
  const agent = spawn(BERTH, args, { detached: true, stdio: ['ignore', fd, fd] });
  closeSync(fd);
  const ended = once(agent, 'exit');
  scene.cleanup.defer(async () => {
    agent.kill('SIGTERM');
    await ended;
  });
  await until('the agent to be ready', log, async () => (await fetch(`http://${address}/readyz`)).ok);
  return { pid: agent.pid ?? 0, source, home, state: scene.state, log };
}

/** Monitors of the agent's containers: they hold the exit file, in its state directory. */
export function monitorsOf({ state }: BenchAgent): number[] {
  return processesOf('berth-monitor', (pid) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/10`).startsWith(state);
    } catch {
      return false;
    }
  });
}

/** Wait until `look` says so. Rejects with the end of the agent's log. */
export async function until(what: string, log: string, look: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline) {
    if (await look().catch(() => false)) return;
    await sleep(5);
  }
  throw new Error(`Waited too long for ${what}:\n${readFileSync(log, 'utf8').split('\n').slice(-15).join('\n')}`);
}
