// A hundred containers from one change.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { monitorsOf, startAgent, until } from '../agent.ts';
import { idleDeployment } from '../manifests.ts';
import { rowsOf, type Row } from '../row.ts';
import { timed, type Bench, type Scene } from '../scene.ts';

const CONTAINERS = 100;

export const hundredBench: Bench = {
  name: 'hundred',
  what: `a manifest with ${CONTAINERS} replicas is written → all run (hostNetwork, image present)`,
  budget: '≤ 1 s',
  run,
};

async function run(scene: Scene): Promise<Row[]> {
  const agent = await startAgent(scene);
  const elapsed = await timed(async () => {
    writeFileSync(join(agent.source, 'idle.yaml'), idleDeployment(CONTAINERS));
    await until(`${CONTAINERS} containers`, agent.log, () => Promise.resolve(monitorsOf(agent).length === CONTAINERS));
  });
  return rowsOf({ name: 'hundred', unit: 'ms', samples: [elapsed], peers: [] });
}
