// A reconciler on a fake machine, with the questions that tests ask it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

import type { ExecutionContext } from 'ava';

import { Reconciler } from '../../src/reconcile/reconciler.ts';
import { RecordKeeper } from '../../src/reconcile/record-keeper.ts';
import type { Report } from '../../src/reconcile/report.ts';
import type { Workload } from '../../src/spec/model.ts';
import { FakeMachine } from './fake-machine.ts';
import { ManualClock } from './manual-clock.ts';
import { sampleContainer, samplePod, sampleWorkload } from './sample-workload.ts';
import { loadWorkloads, ScriptedSource } from './scripted-source.ts';

/** How long a test waits for what must come true; a test never depends on it otherwise. */
const PATIENCE_MS = 20_000;

export type AgentOptions = {
  readonly allowEmpty?: boolean;
  readonly sources?: readonly ScriptedSource[];
  readonly directory?: string;
  readonly machine?: FakeMachine;
  readonly clock?: ManualClock;
};

/** A reconciler on a fake machine. Each test ends it, or its clean-up does. */
export class Agent {
  readonly clock: ManualClock;
  readonly machine: FakeMachine;
  readonly source: ScriptedSource;
  readonly reports: Report[] = [];
  readonly reconciler: Reconciler;
  readonly #controller = new AbortController();
  readonly #running: Promise<void>;

  constructor(directory: string, options: AgentOptions = {}) {
    this.clock = options.clock ?? new ManualClock();
    this.machine = options.machine ?? new FakeMachine(this.clock);
    const sources = options.sources ?? [new ScriptedSource()];
    this.source = sources[0] ?? new ScriptedSource();
    const report = (one: Report) => void this.reports.push(one);
    this.reconciler = new Reconciler({
      sources,
      loadManifests: loadWorkloads,
      effects: this.machine.effects,
      observer: this.machine,
      images: this.machine,
      record: new RecordKeeper(directory, (error) => report({ event: 'recordFailed', message: String(error) })),
      report,
      clock: this.clock,
      allowEmpty: options.allowEmpty ?? false,
    });
    this.#running = this.reconciler.run(this.#controller.signal);
  }

  /** Until `condition` holds; the agent's clock stands still meanwhile. */
  async until(condition: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (let round = 0; performance.now() < deadline; round++) {
      if (condition()) return;
      await (round < 100 ? turn() : sleep(1));
    }
    throw new Error(`Never came true: ${condition.toString()}; ${JSON.stringify(this.reports.slice(-5))}`);
  }

  async untilRunning(...subjects: string[]): Promise<void> {
    await this.until(() => JSON.stringify(this.machine.running()) === JSON.stringify(subjects));
  }

  saw(event: Report['event']): Report[] {
    return this.reports.filter((report) => report.event === event);
  }

  condition(name: string, type: string): string {
    const status = this.reconciler.status().find(({ workload }) => workload.name === name);
    const found = status?.conditions.find((condition) => condition.type === type);
    return found === undefined ? 'none' : `${found.status} ${found.reason}`;
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#running;
  }
}

export async function startAgent(t: ExecutionContext, options: AgentOptions = {}): Promise<Agent> {
  const directory = options.directory ?? (await temporary(t));
  const agent = new Agent(directory, options);
  t.teardown(() => agent.stop());
  return agent;
}

export async function temporary(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-reconciler-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A Pod `web` with one container `main`. */
export function web(tag: string, overrides: Partial<Workload> = {}): Workload {
  const pod = samplePod({ containers: [sampleContainer({ image: `example.test/web:${tag}` })] });
  return sampleWorkload({ pod, ...overrides });
}
