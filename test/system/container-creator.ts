// A process of its own that creates a container and stays, so that a test can kill it: node container-creator.ts, with
// {stateDirectory, request} as JSON on standard input. Prints {pid} or {code, message} when the container runs or failed.
import { once } from 'node:events';
import { json } from 'node:stream/consumers';
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { readCgroupLayout } from '../../src/linux/cgroup/layout.ts';
import { createContainer, type CreateRequest } from '../../src/oci/runtime/create.ts';
import { openRuntime } from '../../src/oci/runtime/runtime.ts';

export type Work = { readonly stateDirectory: string; readonly request: CreateRequest };
export type Report = { readonly pid?: number; readonly code?: string; readonly message?: string };

/** Start the process. `prefix` is a program to run it under, with its arguments. */
export function startCreator(work: Work, prefix: readonly string[] = []): ChildProcess {
  const [program, ...args] = [...prefix, process.execPath, fileURLToPath(import.meta.url)];
  const child = spawn(program ?? process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin?.end(JSON.stringify(work));
  return child;
}

/** What it says first. Rejects when it ends without a word. */
export async function reportOf(child: ChildProcess): Promise<Report> {
  const said = await Promise.race([once(child.stdout ?? child, 'data'), once(child, 'exit')]);
  if (!Buffer.isBuffer(said[0])) throw new Error(`The creator ended with ${String(said[0] ?? said[1])}`);
  return JSON.parse(said[0].toString()) as Report;
}

/** Kill it with SIGKILL, and wait until it is gone. */
export async function killCreator(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function main(): Promise<void> {
  const { stateDirectory, request } = (await json(process.stdin)) as Work;
  const runtime = openRuntime({ stateDirectory, cgroups: readCgroupLayout() });
  try {
    const { pid } = await createContainer(runtime, request);
    process.stdout.write(JSON.stringify({ pid }));
    setInterval(() => undefined, 1000);
  } catch (error) {
    const { message, code } = error as Error & { readonly code?: string };
    process.stdout.write(JSON.stringify({ code, message }));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
