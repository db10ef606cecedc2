// Many starts at once: what a machine that comes up, or a runtime under an engine, is asked for.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { createContainer } from '../../../src/oci/runtime/create.ts';
import { deleteContainer } from '../../../src/oci/runtime/delete.ts';
import type { Runtime } from '../../../src/oci/runtime/runtime.ts';
import { benchConfig, benchRuntime, makeBundle, writeConfig, type Bundle } from '../bundle.ts';
import { peerRuntimes } from '../peers/runtimes.ts';
import { rowsOf, type Row } from '../row.ts';
import { interleave, timed, type Bench, type Contender, type Scene } from '../scene.ts';

const COUNT = 100;
const TRUE = ['/bin/true'];
/** One sample is a hundred containers. */
const SHARE = 20;

export const parallelBench: Bench = {
  name: 'parallel',
  what: `${COUNT} starts of \`true\` at once, to the end of the last one and everything removed`,
  budget: '≤ 1 s',
  run,
};

async function run(scene: Scene): Promise<Row[]> {
  const runtime = await benchRuntime(scene);
  const bundle = makeBundle(scene.directory);
  const runtimes = await peerRuntimes(scene);
  const contenders: Contender[] = [
    { name: 'berth', sample: atOnce((index) => own(scene, { runtime, bundle }, index)) },
  ];
  for (const { name, command, prepare } of runtimes) {
    if (command === undefined) continue;
    const start = (index: string): Promise<void> =>
      command('run', '--bundle', peerBundle(scene, { runtime, bundle }, index), `bench-${name}-${index}`);
    const sample = atOnce(start);
    if (!(await works(sample, () => scene.say(`${name} cannot start ${COUNT} containers at once here`)))) continue;
    contenders.push(prepare === undefined ? { name, sample } : { name, prepare, sample });
  }
  const samples = await interleave(contenders, Math.max(2, Math.ceil(scene.runs / SHARE)));
  return rowsOf({
    name: 'parallel',
    unit: 'ms',
    samples: samples.get('berth') ?? [],
    peers: runtimes.map(({ name }) => ({
      name: `${name} run`,
      samples: samples.get(name) ?? [],
      missing: `${name} is not installed, or did not start ${COUNT} at once`,
    })),
  });
}

/** Whether one sample succeeds: crun now and then takes the machine for one that it refuses. */
async function works(sample: () => Promise<number>, say: () => void): Promise<boolean> {
  try {
    await sample();
    return true;
  } catch {
    say();
    return false;
  }
}

function atOnce(start: (index: string) => Promise<void>): () => Promise<number> {
  let round = 0;
  return () => {
    round += 1;
    const ids = Array.from({ length: COUNT }, (_, index) => `${round}-${index}`);
    return timed(() => Promise.all(ids.map((id) => start(id))));
  };
}

type Setting = { readonly runtime: Runtime; readonly bundle: Bundle };

/** A directory with a config.json of its own, as its cgroup is. Made once: what it takes is no peer's time. */
function peerBundle(scene: Scene, { runtime, bundle }: Setting, index: string): string {
  const directory = join(scene.directory, `bundle-${index.split('-')[1]}`);
  if (existsSync(directory)) return directory;
  mkdirSync(directory);
  const config = benchConfig(runtime, TRUE, `${scene.peerCgroupParent}/${index}`);
  writeConfig({ ...bundle, directory }, { ...config, root: { ...config.root, path: bundle.rootfs } });
  return directory;
}

async function own(scene: Scene, { runtime, bundle }: Setting, index: string): Promise<void> {
  const id = `bench-${index}`;
  const monitor = await createContainer(runtime, {
    id,
    config: benchConfig(runtime, TRUE, `${scene.cgroupParent}/${id}`),
    rootfs: { kind: 'directory', path: bundle.rootfs },
    bundle: bundle.directory,
    labels: {},
    stopSignal: 15,
    logFile: '/dev/null',
    mode: 'run',
  });
  await monitor.ended;
  await deleteContainer(runtime, id, { force: false });
}
