// A hook in the runtime's own namespaces: prestart, createRuntime, poststart, poststop.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { memoryFile } from '../../linux/memory-file.ts';
import type { Hook } from './config.ts';
import { HookOutput, hookFailure } from './hook-output.ts';

export type HookRun = {
  readonly hook: Hook;
  /** What it reads. */
  readonly state: string;
  readonly cwd: string;
};

/** Run it to its end. Rejects with an Error that says how it failed: its code, a signal, its time was up, it could not be run. */
export async function runHostHook({ hook, state, cwd }: HookRun): Promise<void> {
  const { path, args = [path], env = [], timeout } = hook;
  using input = memoryFile('hook-state', state);
  const child = spawn(path, args.slice(1), {
    argv0: args[0] ?? path,
    env: environmentOf(env),
    cwd,
    stdio: [input.number, 'pipe', 'pipe'],
    ...(timeout === undefined ? {} : { timeout: timeout * 1000, killSignal: 'SIGKILL' }),
  });
  const output = new HookOutput();
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.add(chunk));
  try {
    // Not `close`: what a hook leaves running may hold its streams.
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (code === 0) return;
    throw hookFailure(
      signal === 'SIGKILL' && timeout !== undefined ? 'timed out' : (signal ?? `exit code ${code}`),
      output,
    );
  } finally {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

function environmentOf(env: readonly string[]): Record<string, string> {
  return Object.fromEntries(env.map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string]));
}
