// A pull from a registry on the loopback, unpacked and ready to run, beside the engines and beside decompression alone.
import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';

import { saveLayout } from '../../tools/image.ts';
import { pushLayout } from '../../tools/push.ts';
import { largeImage, type LargeImage } from '../large-image.ts';
import { startEngines } from '../peers/engines.ts';
import { startRegistry } from '../peers/registry.ts';
import { runProgram } from '../program.ts';
import { rowsOf, type Row } from '../row.ts';
import { interleave, timed, type Bench, type Contender, type Scene } from '../scene.ts';

const BERTH = fileURLToPath(new URL('../../../bin/berth', import.meta.url));
const GUNZIP = 'gunzip alone';
/** Seconds each: a tenth of the rounds that milliseconds get, and at least three. */
const SHARE = 10;
const FEWEST = 3;

export const pullBench: Bench = {
  name: 'pull',
  what: 'pull and unpack from a registry on the loopback, as a command',
  budget: '≤ 1.3 × gunzip alone, ≤ 0.35 × ctr',
  run,
};

async function run(scene: Scene): Promise<Row[]> {
  const registry = await startRegistry(scene);
  const reference = `${registry}/large:1`;
  scene.say('making the image');
  const image = largeImage(reference);
  await pushLayout(image.layout, { origin: `http://${registry}`, repository: 'large', tag: '1' });
  const blobs = saveLayout(image.layout, join(scene.directory, 'layout'));
  scene.say('starting the peers');
  const engines = await startEngines(scene);
  const peers = engines.flatMap(({ name, engine }): Contender[] => {
    if (engine === undefined) return [];
    const sample = async (): Promise<number> => {
      const elapsed = await timed(() => engine.pull(reference));
      await engine.remove(reference);
      return elapsed;
    };
    return [{ name, sample }];
  });
  const contenders = [berth(scene, reference), gunzip(blobs, image), ...peers];
  const samples = await interleave(contenders, Math.max(FEWEST, Math.round(scene.runs / SHARE)));
  return rowsOf({
    name: 'pull',
    unit: 'ms',
    samples: samples.get('berth') ?? [],
    peers: [
      { name: GUNZIP, samples: samples.get(GUNZIP) ?? [] },
      ...engines.map(({ name, missing }) => ({
        name: `${name} pull`,
        samples: samples.get(name) ?? [],
        ...(missing === undefined ? {} : { missing }),
      })),
    ],
    note: sizeOf(image),
  });
}

function sizeOf({ layout, files, bytes }: LargeImage): string {
  const compressed = [...layout.values()].reduce((sum, { length }) => sum + length, 0);
  return `${files} files, ${megabytes(bytes)}, ${megabytes(compressed)} gzip`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** Every pull into a store that is empty. */
function berth(scene: Scene, reference: string): Contender {
  const [root, state] = [join(scene.directory, 'root'), join(scene.directory, 'state')];
  const sample = async (): Promise<number> => {
    const elapsed = await timed(() =>
      runProgram([BERTH, 'pull', '--root', root, '--state', state, '--cgroup-parent', scene.cgroupParent, reference]),
    );
    rmSync(root, { recursive: true, force: true });
    return elapsed;
  };
  return { name: 'berth', sample };
}

/** zlib in this process, one thread, from a file to nowhere: the least that a gzip layer can take. */
function gunzip(layout: string, { layout: files }: LargeImage): Contender {
  const [path = ''] = [...files].sort(([, left], [, right]) => right.length - left.length).map(([name]) => name);
  const decompress = (): Promise<void> =>
    pipeline(
      createReadStream(join(layout, path), { highWaterMark: 1 << 20 }),
      createGunzip({ chunkSize: 1 << 20 }),
      createWriteStream('/dev/null'),
    );
  return { name: GUNZIP, sample: () => timed(decompress) };
}
