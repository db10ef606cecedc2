// The least that any command of berth takes.
import { fileURLToPath } from 'node:url';

import { findProgram, runProgram } from '../program.ts';
import { rowsOf, type Row } from '../row.ts';
import { interleave, timed, type Bench, type Contender, type Scene } from '../scene.ts';

const BERTH = fileURLToPath(new URL('../../../bin/berth', import.meta.url));
const PEERS = ['podman', 'docker'];

export const versionBench: Bench = {
  name: 'version',
  what: '`berth --version` as a command',
  budget: 'p50 ≤ 60 ms',
  run,
};

async function run({ runs }: Scene): Promise<Row[]> {
  const present = PEERS.flatMap((name): Contender[] => {
    const path = findProgram(name);
    return path === undefined ? [] : [{ name, sample: () => timed(() => runProgram([path, '--version'])) }];
  });
  const berth = { name: 'berth', sample: () => timed(() => runProgram([BERTH, '--version'])) };
  const samples = await interleave([berth, ...present], runs);
  return rowsOf({
    name: 'version',
    unit: 'ms',
    samples: samples.get('berth') ?? [],
    peers: PEERS.map((name) => ({
      name: `${name} --version`,
      samples: samples.get(name) ?? [],
      missing: `${name} is not installed`,
    })),
  });
}
