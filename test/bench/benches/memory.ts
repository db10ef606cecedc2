// What an agent that has nothing to do costs: memory, processor, writes; and what each container adds outside of it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { monitorsOf, startAgent, until } from '../agent.ts';
import { idleDeployment } from '../manifests.ts';
import { dockerMemory } from '../peers/docker-memory.ts';
import { memoryOf, processorSeconds, writtenBytes } from '../process-memory.ts';
import { rowsOf, type Measured, type Row } from '../row.ts';
import type { Bench, Scene } from '../scene.ts';

const CONTAINERS = 20;
const SETTLE_MS = 10_000;
const WATCH_MS = 20_000;
const MB = 1e6;
const KIB = 1024;

export const memoryBench: Bench = {
  name: 'memory',
  what: `an idle agent with ${CONTAINERS} idle containers`,
  budget: '≤ 80 MB RSS, ≤ 30 MB anonymous, ≤ 32 KiB a container outside it, ≤ 0.5 % of a core, 0 bytes written',
  run,
};

async function run(scene: Scene): Promise<Row[]> {
  scene.say('docker first');
  const docker = await dockerMemory(scene, CONTAINERS);
  const agent = await startAgent(scene);
  writeFileSync(join(agent.source, 'idle.yaml'), idleDeployment(CONTAINERS));
  await until(`${CONTAINERS} containers`, agent.log, () => Promise.resolve(monitorsOf(agent).length === CONTAINERS));
  scene.say(`watching for ${(SETTLE_MS + WATCH_MS) / 1000} s`);
  await sleep(SETTLE_MS);
  const before = { seconds: processorSeconds(agent.pid), bytes: writtenBytes(agent.pid) };
  await sleep(WATCH_MS);
  const seconds = processorSeconds(agent.pid) - before.seconds;
  const missing = docker.missing === undefined ? {} : { missing: docker.missing };
  const measured: Measured[] = [
    {
      name: 'memory: RSS of the agent',
      unit: 'MB',
      samples: [memoryOf(agent.pid, 'VmRSS') / MB],
      peers: [{ name: 'dockerd + containerd', samples: docker.daemons.map((bytes) => bytes / MB), ...missing }],
    },
    { name: 'memory: anonymous part', unit: 'MB', samples: [memoryOf(agent.pid, 'RssAnon') / MB], peers: [] },
    {
      name: 'memory: outside it, a container',
      unit: 'KiB',
      samples: monitorsOf(agent).map((pid) => memoryOf(pid, 'VmRSS') / KIB),
      peers: [{ name: 'containerd-shim', samples: docker.shims.map((bytes) => bytes / KIB), ...missing }],
    },
    { name: 'memory: share of a core', unit: '%', samples: [(100 * 1000 * seconds) / WATCH_MS], peers: [] },
    {
      name: 'memory: written while idle',
      unit: 'bytes',
      samples: [writtenBytes(agent.pid) - before.bytes],
      peers: [],
    },
  ];
  return measured.flatMap(rowsOf);
}
