// From config.json to the end of `true`, and everything removed: what starting a container costs an agent.
import { createContainer } from '../../../src/oci/runtime/create.ts';
import { deleteContainer } from '../../../src/oci/runtime/delete.ts';
import type { Runtime } from '../../../src/oci/runtime/runtime.ts';
import { benchConfig, benchRuntime, makeBundle, writeConfig, type Bundle } from '../bundle.ts';
import { peerRuntimes } from '../peers/runtimes.ts';
import { rowsOf, type Row } from '../row.ts';
import { interleave, longestBlock, timed, type Bench, type Contender, type Scene } from '../scene.ts';

const TRUE = ['/bin/true'];

export const startBench: Bench = {
  name: 'start',
  what: 'start → exit of `true`, removed again: all namespaces, cgroup limits, default seccomp and capabilities, no network',
  budget: 'start → exit p50 ≤ 3 ms, ≤ 0.4 × crun, the agent blocked ≤ 1 ms',
  run,
};

async function run(scene: Scene): Promise<Row[]> {
  const runtime = await benchRuntime(scene);
  const bundle = makeBundle(scene.directory);
  writeConfig(bundle, benchConfig(runtime, TRUE, scene.peerCgroupParent));
  const runtimes = await peerRuntimes(scene);
  const present = runtimes.flatMap(({ name, command, prepare }): Contender[] =>
    command === undefined
      ? []
      : [{ name, prepare, sample: () => timed(() => command('run', '--bundle', bundle.directory, `bench-${name}`)) }],
  );
  const cycle = berthCycle(scene, { runtime, bundle });
  const seen: Seen = { exited: [], busy: [] };
  const berth = { name: 'berth', sample: () => timed(() => cycle(seen.exited), seen.busy) };
  const samples = await interleave([berth, ...present], scene.runs);
  const blocks: number[] = [];
  while (blocks.length < scene.runs) blocks.push(await longestBlock(cycle));
  const own = (what: string, all: readonly number[]): Row[] =>
    rowsOf({ name: `start: ${what}`, unit: 'ms', samples: all.slice(-scene.runs), peers: [] });
  const rows = rowsOf({
    name: 'start',
    unit: 'ms',
    samples: samples.get('berth') ?? [],
    peers: runtimes.map(({ name }) => ({
      name: `${name} run`,
      samples: samples.get(name) ?? [],
      missing: `${name} is not installed`,
    })),
    note: 'the peers are commands, spawned as berth spawns its monitor; berth works in its own process, as the agent does',
  });
  return [
    ...rows,
    ...own('to the exit only', seen.exited),
    ...own('main thread busy in all', seen.busy),
    ...own('main thread blocked at a stretch', blocks),
  ];
}

type Seen = { readonly exited: number[]; readonly busy: number[] };
type Setting = { readonly runtime: Runtime; readonly bundle: Bundle };

/** One start to its end. The milliseconds to the exit, before anything is removed, are added to `exited`. */
function berthCycle(scene: Scene, { runtime, bundle }: Setting): (exited?: number[]) => Promise<void> {
  let serial = 0;
  return async (exited) => {
    serial += 1;
    const id = `bench-${serial}`;
    const started = performance.now();
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
    exited?.push(performance.now() - started);
    await deleteContainer(runtime, id, { force: false });
  };
}
