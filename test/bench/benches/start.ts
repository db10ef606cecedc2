// From config.json to the end of `true`, and everything removed: what starting a container costs an agent.
import { createContainer } from '../../../src/oci/runtime/create.ts';
import { deleteContainer } from '../../../src/oci/runtime/delete.ts';
import type { Runtime } from '../../../src/oci/runtime/runtime.ts';
import { benchConfig, benchRuntime, makeBundle, writeConfig, type Bundle } from '../bundle.ts';
import { peerRuntimes } from '../peers/runtimes.ts';
import { rowsOf, type Row } from '../row.ts';
import { interleave, timed, type Bench, type Contender, type Scene } from '../scene.ts';

const TRUE = ['/bin/true'];

export const startBench: Bench = {
  name: 'start',
  what: 'start → exit of `true`, removed again: all namespaces, cgroup limits, default seccomp and capabilities, no network',
  budget: 'p50 ≤ 3 ms, ≤ 0.4 × crun, the agent busy ≤ 1 ms',
  run,
};

async function run(scene: Scene): Promise<Row[]> {
  const runtime = benchRuntime(scene);
  const bundle = makeBundle(scene.directory);
  writeConfig(bundle, benchConfig(runtime, TRUE, scene.peerCgroupParent));
  const runtimes = await peerRuntimes(scene);
  const present = runtimes.flatMap(({ name, command }): Contender[] =>
    command === undefined
      ? []
      : [{ name, sample: () => timed(() => command('run', '--bundle', bundle.directory, `bench-${name}`)) }],
  );
  const blocked: number[] = [];
  const samples = await interleave([berth(scene, { runtime, bundle, blocked }), ...present], scene.runs);
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
    ...rowsOf({ name: 'start: main thread busy', unit: 'ms', samples: blocked.slice(-scene.runs), peers: [] }),
  ];
}

type Berth = { readonly runtime: Runtime; readonly bundle: Bundle; readonly blocked: number[] };

function berth(scene: Scene, { runtime, bundle, blocked }: Berth): Contender {
  let serial = 0;
  const cycle = async (): Promise<void> => {
    serial += 1;
    const id = `bench-${serial}`;
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
  };
  return { name: 'berth', sample: () => timed(cycle, blocked) };
}
