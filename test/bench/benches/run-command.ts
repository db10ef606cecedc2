// `berth run --rm IMAGE true` as a person types it, beside the engines' commands. No network; the image is there.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { busyboxImage, saveArchive } from '../../tools/image.ts';
import { pushLayout } from '../../tools/push.ts';
import { startEngines } from '../peers/engines.ts';
import { startRegistry } from '../peers/registry.ts';
import { runProgram } from '../program.ts';
import { rowsOf, type Row } from '../row.ts';
import { interleave, timed, type Bench, type Contender, type Scene } from '../scene.ts';

const BERTH = fileURLToPath(new URL('../../../bin/berth', import.meta.url));

export const runCommandBench: Bench = {
  name: 'run',
  what: '`berth run --rm --network none IMAGE true` as a command, image present',
  budget: 'p50 ≤ 90 ms',
  run,
};

async function run(scene: Scene): Promise<Row[]> {
  const registry = await startRegistry(scene);
  const reference = `${registry}/busybox:1`;
  const image = busyboxImage({ reference });
  await pushLayout(image, { origin: `http://${registry}`, repository: 'busybox', tag: '1' });
  const archive = saveArchive(image, join(scene.directory, 'busybox.oci.tar'));
  scene.say('starting the peers');
  const engines = await startEngines(scene);
  let serial = 0;
  const peers = engines.flatMap(({ name, engine }): Contender[] =>
    engine === undefined
      ? []
      : [
          {
            name,
            prepare: engine.prepare,
            sample: () => timed(() => engine.run(reference, `bench-${(serial += 1)}`, 'true')),
          },
        ],
  );
  for (const { engine } of engines) await engine?.pull(reference);
  const samples = await interleave([await berth(scene, archive, reference), ...peers], scene.runs);
  return rowsOf({
    name: 'run',
    unit: 'ms',
    samples: samples.get('berth') ?? [],
    peers: engines.map(({ name, missing }) => ({
      name: `${name} run`,
      samples: samples.get(name) ?? [],
      ...(missing === undefined ? {} : { missing }),
    })),
  });
}

async function berth(scene: Scene, archive: string, reference: string): Promise<Contender> {
  const place = ['--root', join(scene.directory, 'root'), '--state', join(scene.state, 'berth')];
  const command = (...args: readonly string[]): Promise<void> =>
    runProgram([BERTH, ...args.slice(0, 1), ...place, '--cgroup-parent', scene.cgroupParent, ...args.slice(1)]);
  scene.cleanup.defer(() => command('reset', '--yes'));
  await command('image', 'import', archive);
  return { name: 'berth', sample: () => timed(() => command('run', '--rm', '--network', 'none', reference, 'true')) };
}
