// A file is written into the source → its container answers. The image is there.
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from '../../../examples/quickstart/machine.ts';
import { startAgent, until } from '../agent.ts';
import { webPod } from '../manifests.ts';
import { rowsOf, type Row } from '../row.ts';
import { interleave, timed, type Bench, type Scene } from '../scene.ts';

const SHARE = 5;
const FEWEST = 3;
const STAYS = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: stays }\ndata: {}\n';

export const changeBench: Bench = {
  name: 'change',
  what: 'a manifest is written → its container serves (hostNetwork, image present)',
  budget: 'p50 ≤ 100 ms (published: Ankaios 624 ms, K3s 2481 ms)',
  run,
};

async function run(scene: Scene): Promise<Row[]> {
  const agent = await startAgent(scene);
  const manifest = join(agent.source, 'web.yaml');
  const port = await freePort();
  // A source that loses its last manifest is refused: something must stay.
  writeFileSync(join(agent.source, 'stays.yaml'), STAYS);
  const sample = async (): Promise<number> => {
    const elapsed = await timed(async () => {
      writeFileSync(manifest, webPod(port));
      while (!(await accepts(port))) await sleep(1);
    });
    rmSync(manifest);
    await until('the server to be gone', agent.log, async () => !(await accepts(port)));
    return elapsed;
  };
  const rounds = Math.max(FEWEST, Math.round(scene.runs / SHARE));
  const samples = await interleave([{ name: 'berth', sample }], rounds);
  return rowsOf({ name: 'change', unit: 'ms', samples: samples.get('berth') ?? [], peers: [] });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}
