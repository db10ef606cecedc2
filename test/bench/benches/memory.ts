// What an agent that has nothing to do costs: memory, processor, writes; and what each container adds outside of it.
import { readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { startAgent, until, type BenchAgent } from '../agent.ts';
import { memoryOf, processesOf, processorSeconds, writtenBytes } from '../process-memory.ts';
import { rowsOf, type Measured, type Row } from '../row.ts';
import type { Bench, Scene } from '../scene.ts';

const CONTAINERS = 20;
const SETTLE_MS = 10_000;
const WATCH_MS = 20_000;
const MB = 1e6;

export const memoryBench: Bench = {
  name: 'memory',
  what: `an idle agent with ${CONTAINERS} idle containers`,
  budget: '≤ 80 MB RSS, ≤ 30 MB anonymous, ≤ 32 KiB a container outside it, ≤ 0.5 % of a core, 0 bytes written',
  run,
};

async function run(scene: Scene): Promise<Row[]> {
  const agent = await startAgent(scene);
  writeFileSync(join(agent.source, 'idle.yaml'), manifest());
  const log = join(agent.home, 'agent.log');
  await until(`${CONTAINERS} containers`, log, () => Promise.resolve(monitors(agent).length === CONTAINERS));
  scene.say(`watching for ${(SETTLE_MS + WATCH_MS) / 1000} s`);
  await sleep(SETTLE_MS);
  const before = { seconds: processorSeconds(agent.pid), bytes: writtenBytes(agent.pid) };
  await sleep(WATCH_MS);
  const seconds = processorSeconds(agent.pid) - before.seconds;
  const measured: Pick<Measured, 'name' | 'unit' | 'samples'>[] = [
    { name: 'memory: RSS of the agent', unit: 'MB', samples: [memoryOf(agent.pid, 'VmRSS') / MB] },
    { name: 'memory: anonymous part', unit: 'MB', samples: [memoryOf(agent.pid, 'RssAnon') / MB] },
    {
      name: 'memory: RSS of a monitor',
      unit: 'KiB',
      samples: monitors(agent).map((pid) => memoryOf(pid, 'VmRSS') / 1024),
    },
    { name: 'memory: share of a core', unit: '%', samples: [(100 * 1000 * seconds) / WATCH_MS] },
    { name: 'memory: written while idle', unit: 'bytes', samples: [writtenBytes(agent.pid) - before.bytes] },
  ];
  return measured.flatMap((one) => rowsOf({ ...one, peers: [] }));
}

/** Monitors hold the exit file of their container, in the agent's state directory. */
function monitors({ home }: BenchAgent): number[] {
  return processesOf('berth-monitor', (pid) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/10`).startsWith(home);
    } catch {
      return false;
    }
  });
}

function manifest(): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: idle }
spec:
  replicas: ${CONTAINERS}
  selector: { matchLabels: { app: idle } }
  template:
    metadata: { labels: { app: idle } }
    spec:
      hostNetwork: true
      terminationGracePeriodSeconds: 0
      containers:
        - name: idle
          image: localhost/busybox:1
          command: [sleep, '1000000']
`;
}
