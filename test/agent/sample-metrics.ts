// Metrics over a fixed machine: nothing in them depends on where or when a test runs.
import { openMetrics, type Metrics } from '../../src/agent/metrics.ts';
import type { AgentState, ProcessFacts } from '../../src/agent/metrics-state.ts';
import type { Snapshot } from '../../src/agent/container-snapshot.ts';
import { NOW } from './sample-snapshot.ts';

export const PROCESS: ProcessFacts = {
  build: { node: '24.0.0', arch: 'x64', kernel: '6.1.0' },
  cpuSeconds: { user: 1.5, system: 0.5 },
  startedAt: NOW - 3_600_000,
  memory: { rss: 60_000_000, heapTotal: 20_000_000, heapUsed: 15_000_000, external: 2_000_000 },
  openDescriptors: 25,
  writtenBytes: 4096,
};

export const AGENT: AgentState = {
  version: '0.1.0',
  sources: [{ name: '/srv/apps', kind: 'directory', revision: 'sha256:abc', lastSuccess: NOW - 5000 }],
  workloads: [
    {
      workload: { kind: 'Deployment', namespace: 'default', name: 'web' },
      source: '/srv/apps',
      revision: 'sha256:abc',
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Running', message: '', lastTransitionTime: '2026-01-02T03:00:00Z' },
      ],
      nextLook: undefined,
    },
  ],
  imageStoreBytes: 123_456_789,
};

export function sampleMetrics(snapshot: Snapshot, state: AgentState = AGENT): Metrics {
  return openMetrics({ takeSnapshot: () => snapshot, agentState: () => state, processFacts: () => PROCESS });
}

/** The samples of one metric, as the lines of a scrape. */
export async function linesOf(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.scrape();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}
