// A pull from a registry on the loopback, unpacked and ready to run, beside the engines and beside decompression alone.
import { createReadStream, createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';

import { pushLayout } from '../../tools/push.ts';
import { largeImage, type LargeImage } from '../large-image.ts';
import { startEngines } from '../peers/engines.ts';
import { startRegistry } from '../peers/registry.ts';
import { runProgram } from '../program.ts';
import { rowsOf, type Row } from '../row.ts';
import { interleave, timed, WARM_UP, type Bench, type Contender, type Scene } from '../scene.ts';

const BERTH = fileURLToPath(new URL('../../../bin/berth', import.meta.url));
const GUNZIP = 'gunzip alone';
/** Seconds each: a twentieth of the rounds that milliseconds get, and at least three. */
const SHARE = 20;
const FEWEST = 3;
const WAYS = ['erofs', 'extract'] as const;

export const pullBench: Bench = {
  name: 'pull',
  what: 'pull and unpack from a registry on the loopback, as a command',
  budget: '≤ 1.3 × gunzip alone, ≤ 0.35 × ctr',
  run,
};

/**
 * Nothing is removed before the end, and each sample is of an image that nobody has a byte of: ext4 avoids inodes that were
 * deleted lately, so that who removes thousands of files pays at the next sample, up to five times over (measured).
 */
async function run(scene: Scene): Promise<Row[]> {
  const registry = await startRegistry(scene);
  scene.say('making the images');
  const image = largeImage();
  const rounds = Math.max(FEWEST, Math.round(scene.runs / SHARE));
  const references = await pushVariants(image, registry, rounds + WARM_UP);
  scene.say('starting the peers');
  const engines = await startEngines(scene);
  const peers = engines.flatMap(({ name, engine }): Contender[] =>
    engine === undefined ? [] : [{ name, sample: inTurn(references, (reference) => engine.pull(reference)) }],
  );
  const contenders = [...WAYS.map((way) => berth(scene, references, way)), gunzip(scene, image), ...peers];
  const samples = await interleave(contenders, rounds);
  const others = engines.map(({ name, missing }) => ({
    name: `${name} pull`,
    samples: samples.get(name) ?? [],
    ...(missing === undefined ? {} : { missing }),
  }));
  return WAYS.flatMap((way) =>
    rowsOf({
      name: way === 'erofs' ? 'pull' : 'pull, extracted',
      unit: 'ms',
      samples: samples.get(way) ?? [],
      peers: [{ name: GUNZIP, samples: samples.get(GUNZIP) ?? [] }, ...others],
      note: sizeOf(image),
    }),
  );
}

async function pushVariants(image: LargeImage, registry: string, count: number): Promise<string[]> {
  const tags = Array.from({ length: count }, (_, index) => String(index + 1));
  for (const tag of tags)
    await pushLayout(image.variant(tag), { origin: `http://${registry}`, repository: 'large', tag });
  return tags.map((tag) => `${registry}/large:${tag}`);
}

/** A sample that pulls the next of the images each time, with nothing left to be written that others made. */
function inTurn(references: readonly string[], pull: (reference: string) => Promise<void>): () => Promise<number> {
  const left = references.values();
  return async () => {
    const { value } = left.next();
    if (value === undefined) throw new Error('There are more samples than images');
    await runProgram(['/bin/sync']);
    return timed(() => pull(value));
  };
}

function sizeOf({ blob, files, bytes }: LargeImage): string {
  return `${files} files, ${megabytes(bytes)}, ${megabytes(blob.length)} gzip`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** Every pull into a store that is empty. */
function berth(scene: Scene, references: readonly string[], way: (typeof WAYS)[number]): Contender {
  const state = join(scene.directory, 'state');
  const pull = (reference: string): Promise<void> => {
    const root = join(scene.directory, `berth-${way}-${reference.split(':').at(-1)}`);
    const places = ['--root', root, '--state', state, '--cgroup-parent', scene.cgroupParent];
    return runProgram([BERTH, 'pull', ...places, '--unpack', way, reference]);
  };
  return { name: way, sample: inTurn(references, pull) };
}

/** zlib in this process, one thread, from a file to nowhere: the least that a gzip layer can take. */
function gunzip(scene: Scene, { blob }: LargeImage): Contender {
  const path = join(scene.directory, 'layer.tar.gz');
  writeFileSync(path, blob);
  const decompress = (): Promise<void> =>
    pipeline(
      createReadStream(path, { highWaterMark: 1 << 20 }),
      createGunzip({ chunkSize: 1 << 20 }),
      createWriteStream('/dev/null'),
    );
  return { name: GUNZIP, sample: () => timed(decompress) };
}
