// A list of ordinary commands, given to an engine that runs its containers with berth-oci, and to the same engine with runc. What
// they print and how they end is the same.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import test from 'ava';

export const RUNTIMES = ['berth', 'runc'] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

/** What an engine calls as `berth`. */
export const BERTH_OCI: string = fileURLToPath(new URL('../../bin/berth-oci', import.meta.url));

export type Step = {
  /** Words of the engine's command line, `NAME` in them is the container's name. */
  readonly words: readonly string[];
  /** The exit code that both have. Default 0. */
  readonly code?: number;
  /** What both write to standard output, where that is worth saying. */
  readonly output?: RegExp;
  /** What both complain of on standard error. */
  readonly complaint?: RegExp;
  readonly input?: string;
  /** Removes what differs for good reasons: pids, times. */
  readonly normal?: (output: string) => string;
  /** Both may be asked again until they answer so, for some seconds: what comes about in the background. */
  readonly eventually?: true;
};

export type Outcome = { readonly code: number | null; readonly output: string; readonly complaint: string };

/** Run the engine with `words` to its end. */
export type RunEngine = (runtime: RuntimeName, words: readonly string[], input?: string) => Promise<Outcome>;

const PATIENCE_MS = 15_000;
const STEP_MS = 60_000;

/** One test a step; the steps of one runtime are taken in their order. `start` is called once, before the first. */
export function compareRuntimes(
  { name, unusable }: { readonly name: string; readonly unusable: string | undefined },
  steps: Readonly<Record<string, Step>>,
  start: () => Promise<RunEngine>,
): void {
  const usable = unusable === undefined ? test : test.skip;
  const suffix = unusable === undefined ? '' : ` (skipped: ${unusable})`;
  let engine: Promise<RunEngine> | undefined;
  for (const [title, step] of Object.entries(steps)) {
    usable(`${name}: ${title}${suffix}`, async (t) => {
      engine ??= start();
      const run = await engine;
      const [berth, runc] = await Promise.all(RUNTIMES.map((runtime) => take(run, runtime, step)));
      t.is(runc?.code, step.code ?? 0, `runc: ${runc?.complaint}`);
      t.is(berth?.code, step.code ?? 0, `berth: ${berth?.complaint}`);
      t.is(berth?.output, runc?.output, 'berth is not like runc');
      if (step.output !== undefined) t.regex(berth?.output ?? '', step.output);
      if (step.complaint === undefined) return;
      t.regex(runc?.complaint ?? '', step.complaint, 'runc');
      t.regex(berth?.complaint ?? '', step.complaint, 'berth');
    });
  }
}

async function take(run: RunEngine, runtime: RuntimeName, step: Step): Promise<Outcome> {
  const words = step.words.map((word) => word.replaceAll('NAME', `${runtime}-1`));
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const outcome = await run(runtime, words, step.input);
    const output = neutral(step.normal?.(outcome.output) ?? outcome.output, runtime);
    const settled = outcome.code === (step.code ?? 0) && step.output?.test(output) !== false;
    if (settled || step.eventually !== true || Date.now() > deadline) return { ...outcome, output };
    await sleep(200);
  }
}

/** Ids and the names of the runtimes are nobody's fault. */
function neutral(output: string, runtime: RuntimeName): string {
  return output
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'ID')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID')
    .replaceAll(`${runtime}-1`, 'NAME')
    .replaceAll('\r\n', '\n');
}

/** Run a program to its end; it is killed when it does not come to one. */
export async function runToEnd(argv: readonly string[], input = ''): Promise<Outcome> {
  const [program = '', ...args] = argv;
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', TERM: 'dumb' };
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env, timeout: STEP_MS, killSignal: 'SIGKILL' });
  child.stdin.on('error', () => undefined); // a program that does not read
  child.stdin.end(input);
  const closed = once(child, 'close') as Promise<[number | null]>;
  const [output, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, output, complaint };
}
