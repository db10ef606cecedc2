// Where a benchmark works: one directory, and whatever it has to put away at its end, last made first.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Row } from './row.ts';

export type Scene = {
  readonly directory: string;
  /** Cgroups are made below it. */
  readonly cgroupParent: string;
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

/** Run one benchmark in a scene of its own. */
export async function inScene(bench: Bench, { runs, say }: Pick<Scene, 'runs' | 'say'>): Promise<Row[]> {
  await using cleanup = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'berth-bench-'));
  cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));
  return await bench.run({ directory, cgroupParent: `/berth-bench-${process.pid}`, runs, cleanup, say });
}

/** What is compared: takes its own time, so that preparing and clearing away do not count. */
export type Contender = { readonly name: string; readonly sample: () => Promise<number> };

const WARM_UP = 2;

/** Run the contenders in turn, `runs` rounds after a warm-up, so that all meet the same moods of the machine. */
export async function interleave(
  contenders: readonly Contender[],
  runs: number,
): Promise<ReadonlyMap<string, number[]>> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -Math.min(WARM_UP, runs - 1); round < runs; round += 1) {
    for (const { name, sample } of contenders) {
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
