// Programs inside a cgroup, for tests that have no container.
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import type { CgroupEntry } from '../../src/linux/cgroup/place.ts';

/** Join by the shell's own hand, then become `command` (for sh). */
export function spawnIn(
  { tasksFiles, bornIn }: CgroupEntry,
  command: string,
  options: SpawnOptions = {},
): ChildProcess {
  const files = bornIn === undefined ? tasksFiles : [...tasksFiles, `${bornIn}/cgroup.procs`];
  const script = 'command=$1; shift; for file; do echo 0 > "$file" || exit 99; done; eval "$command"';
  return spawn('/bin/sh', ['-c', script, 'sh', command, ...files], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
}

export type Ended = { readonly code: number | null; readonly signal: string | null; readonly output: string };

/** Wait for the end of a program; what it wrote to both streams comes along. */
export async function ended(child: ChildProcess): Promise<Ended> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, output };
}

/** Ask again and again until the answer is yes; give up, and fail, after `seconds`. */
export async function until(question: () => boolean, what: string, seconds = 20): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!question()) {
    if (Date.now() > deadline) throw new Error(`Not within ${seconds} s: ${what}`);
    await sleep(10);
  }
}

/** Why cgroups cannot be tested here, or undefined when they can. */
export function cgroupsUnusable(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  return existsSync('/sys/fs/cgroup') ? undefined : 'no cgroups here';
}
