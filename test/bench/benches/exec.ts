// `true` in a container that runs: what an exec probe costs.
import { closeSync, openSync } from 'node:fs';

import { createContainer } from '../../../src/oci/runtime/create.ts';
import { deleteContainer } from '../../../src/oci/runtime/delete.ts';
import { execInContainer } from '../../../src/oci/runtime/exec.ts';
import type { Runtime } from '../../../src/oci/runtime/runtime.ts';
import { firstLine } from '../first-line.ts';
import { benchConfig, benchRuntime, makeBundle, writeConfig, type Bundle } from '../bundle.ts';
import { peerRuntimes, type PeerRuntime } from '../peers/runtimes.ts';
import { rowsOf, type Row } from '../row.ts';
import { interleave, longestBlock, timed, type Bench, type Contender, type Scene } from '../scene.ts';

const TRUE = ['/bin/true'];
const SLEEP = ['/bin/sleep', '1000000'];
const ID = 'bench-exec';

export const execBench: Bench = {
  name: 'exec',
  what: '`true` in a running container, to its end',
  budget: 'p50 ≤ 3 ms, the agent blocked ≤ 1 ms',
  run,
};

async function run(scene: Scene): Promise<Row[]> {
  const setting = { runtime: await benchRuntime(scene), bundle: makeBundle(scene.directory) };
  const runtimes = await peerRuntimes(scene);
  const busy: number[] = [];
  const once = await berth(scene, setting);
  const contenders: Contender[] = [{ name: 'berth', sample: () => timed(once, busy) }];
  const missing = new Map<string, string>();
  for (const peerRuntime of runtimes) {
    const found = await peer(scene, setting, peerRuntime);
    if (typeof found === 'string') missing.set(peerRuntime.name, found);
    else contenders.push(found);
  }
  const samples = await interleave(contenders, scene.runs);
  const blocks: number[] = [];
  while (blocks.length < scene.runs) blocks.push(await longestBlock(once));
  const rows = rowsOf({
    name: 'exec',
    unit: 'ms',
    samples: samples.get('berth') ?? [],
    peers: runtimes.map(({ name }) => ({
      name: `${name} exec`,
      samples: samples.get(name) ?? [],
      missing: missing.get(name) ?? 'no samples',
    })),
  });
  return [
    ...rows,
    ...rowsOf({ name: 'exec: main thread busy in all', unit: 'ms', samples: busy.slice(-scene.runs), peers: [] }),
    ...rowsOf({ name: 'exec: main thread blocked at a stretch', unit: 'ms', samples: blocks, peers: [] }),
  ];
}

type Setting = { readonly runtime: Runtime; readonly bundle: Bundle };

async function berth(scene: Scene, { runtime, bundle }: Setting): Promise<() => Promise<unknown>> {
  const config = benchConfig(runtime, SLEEP, `${scene.cgroupParent}/${ID}`);
  await createContainer(runtime, {
    id: ID,
    config,
    rootfs: { kind: 'directory', path: bundle.rootfs },
    bundle: bundle.directory,
    labels: {},
    stopSignal: 9,
    logFile: '/dev/null',
    mode: 'run',
  });
  scene.cleanup.defer(() => deleteContainer(runtime, ID, { force: true }));
  const sink = openSync('/dev/null', 'r+');
  scene.cleanup.defer(() => closeSync(sink));
  const { process } = benchConfig(runtime, TRUE, '/');
  if (process === undefined) throw new Error('benchConfig makes no process');
  return () => execInContainer(runtime, { id: ID, process, stdio: [sink, sink, sink] });
}

/** A container of the peer that is ready for `exec`, or why there is none. */
async function peer(
  scene: Scene,
  { runtime, bundle }: Setting,
  { name, command, prepare }: PeerRuntime,
): Promise<Contender | string> {
  if (command === undefined) return `${name} is not installed`;
  const id = `${ID}-${name}`;
  writeConfig(bundle, benchConfig(runtime, SLEEP, `${scene.peerCgroupParent}/${id}`));
  try {
    await prepare?.();
    await command('run', '--detach', '--bundle', bundle.directory, id);
  } catch (error) {
    return `${name} does not run a container in the background here: ${firstLine(error)}`;
  }
  scene.cleanup.defer(() => command('delete', '--force', id));
  return { name, prepare, sample: () => timed(() => command('exec', id, '/bin/true')) };
}
