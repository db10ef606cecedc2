// Where a benchmark works: one directory, and whatever it has to put away at its end, last made first.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { removeCgroups } from './cgroups.ts';
import type { Row } from './row.ts';

export type Scene = {
  readonly directory: string;
  /** A directory in memory, as /run is: for the state of berth and of its peers. */
  readonly state: string;
  /** berth's cgroups are made below the first, those of the peers below the second. */
  readonly cgroupParent: string;
  readonly peerCgroupParent: string;
  /** Samples of each contender; a benchmark of seconds takes a share of it. */
  readonly runs: number;
  readonly cleanup: AsyncDisposableStack;
  /** Progress, for a person. */
  readonly say: (text: string) => void;
};

export type Bench = {
  readonly name: string;
  readonly what: string;
  /** From the design: what the number should be. */
  readonly budget: string;
  readonly run: (scene: Scene) => Promise<Row[]>;
};

/** A tmpfs on every Linux; /run is one too, but not in every container and virtual machine. */
const MEMORY = '/dev/shm';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Run one benchmark in a scene of its own. */
export async function inScene(bench: Bench, { runs, say }: Pick<Scene, 'runs' | 'say'>): Promise<Row[]> {
  await using cleanup = new AsyncDisposableStack();
  const end = (): void => {
    say('interrupted: putting everything away');
    void cleanup.disposeAsync().finally(() => process.exit(130));
  };
  for (const signal of SIGNALS) process.once(signal, end);
  process.stdout.once('error', end);
  const directory = mkdtempSync(join(tmpdir(), 'berth-bench-'));
  const parent = `/berth-bench-${process.pid}`;
  cleanup.defer(() => removeCgroups(parent));
  cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));
  const state = mkdtempSync(join(MEMORY, 'berth-bench-'));
  cleanup.defer(() => rmSync(state, { recursive: true, force: true }));
  try {
    const cgroups = { cgroupParent: `${parent}/berth`, peerCgroupParent: `${parent}/peer` };
    return await bench.run({ directory, state, ...cgroups, runs, cleanup, say });
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
    process.stdout.off('error', end);
  }
}

/** What is compared: takes its own time, so that preparing and clearing away do not count. */
export type Contender = {
  readonly name: string;
  /** Done before each sample. */
  readonly prepare?: (() => Promise<void>) | undefined;
  readonly sample: () => Promise<number>;
};

/** Rounds before those that count. */
export const WARM_UP = 2;

/** Run the contenders in turn, `runs` rounds after a warm-up, so that all meet the same moods of the machine. */
export async function interleave(
  contenders: readonly Contender[],
  runs: number,
): Promise<ReadonlyMap<string, number[]>> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -Math.min(WARM_UP, runs - 1); round < runs; round += 1) {
    for (const { name, prepare, sample } of contenders) {
      await prepare?.();
      const taken = await sample();
      if (round >= 0) samples.get(name)?.push(taken);
    }
  }
  return samples;
}

/** Milliseconds that `work` takes. Those of them in which this process's event loop was busy are added to `busy`. */
export async function timed(work: () => Promise<unknown>, busy?: number[]): Promise<number> {
  const before = performance.eventLoopUtilization();
  const started = performance.now();
  await work();
  const elapsed = performance.now() - started;
  busy?.push(performance.eventLoopUtilization(before).active);
  return elapsed;
}

/** Milliseconds of the longest stretch for which this process's event loop served nobody else while `work` went on. */
export async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  let [longest, last, goesOn] = [0, performance.now(), true];
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (goesOn) setImmediate(look);
  };
  setImmediate(look);
  await work();
  goesOn = false;
  return longest;
}
