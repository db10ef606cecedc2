// The runtime as Podman and containerd use it: commands of their own for create, start and delete.
import { fileURLToPath } from 'node:url';

import { createContainer } from '../../../src/oci/runtime/create.ts';
import { deleteContainer } from '../../../src/oci/runtime/delete.ts';
import type { Runtime } from '../../../src/oci/runtime/runtime.ts';
import { startContainer } from '../../../src/oci/runtime/start.ts';
import { benchConfig, benchRuntime, makeBundle, writeConfig, type Bundle } from '../bundle.ts';
import { peerRuntimes } from '../peers/runtimes.ts';
import { runProgram } from '../program.ts';
import { rowsOf, type Row } from '../row.ts';
import { interleave, timed, type Bench, type Contender, type Scene } from '../scene.ts';

const BERTH_OCI = fileURLToPath(new URL('../../../bin/berth-oci', import.meta.url));
const TRUE = ['/bin/true'];

export const ociBench: Bench = {
  name: 'oci',
  what: '`create`, `start` and `delete --force` of `true` as commands: berth-oci starts Node each time',
  budget: 'none: what the start of Node costs beside runtimes in C and Go',
  run,
};

type Command = (...args: readonly string[]) => Promise<void>;

async function run(scene: Scene): Promise<Row[]> {
  const runtime = await benchRuntime(scene);
  const bundle = makeBundle(scene.directory);
  writeConfig(bundle, benchConfig(runtime, TRUE, scene.peerCgroupParent));
  const runtimes = await peerRuntimes(scene);
  const own: Command = (...args) => runProgram([BERTH_OCI, '--root', `${scene.state}/berth-oci`, ...args]);
  const contenders: Contender[] = [{ name: 'berth', sample: () => timed(() => cycle(own, bundle, 'bench-berth')) }];
  for (const { name, command, prepare } of runtimes) {
    if (command === undefined) continue;
    const sample = (): Promise<number> => timed(() => cycle(command, bundle, `bench-${name}`));
    contenders.push(prepare === undefined ? { name, sample } : { name, prepare, sample });
  }
  contenders.push({ name: 'in process', sample: inProcess(scene, runtime, bundle) });
  const samples = await interleave(contenders, scene.runs);
  const peers = runtimes.map(({ name }) => ({
    name,
    samples: samples.get(name) ?? [],
    missing: `${name} is not installed`,
  }));
  return [
    ...rowsOf({ name: 'oci', unit: 'ms', samples: samples.get('berth') ?? [], peers }),
    ...rowsOf({ name: 'oci: in the agent', unit: 'ms', samples: samples.get('in process') ?? [], peers }),
  ];
}

async function cycle(command: Command, { directory }: Bundle, id: string): Promise<void> {
  await command('create', '--bundle', directory, id);
  await command('start', id);
  await command('delete', '--force', id);
}

/** The same three steps by functions, as the agent does them. */
function inProcess(scene: Scene, runtime: Runtime, bundle: Bundle): () => Promise<number> {
  let serial = 0;
  return () => {
    serial += 1;
    const id = `bench-${serial}`;
    return timed(async () => {
      await createContainer(runtime, {
        id,
        config: benchConfig(runtime, TRUE, `${scene.cgroupParent}/${id}`),
        rootfs: { kind: 'directory', path: bundle.rootfs },
        bundle: bundle.directory,
        labels: {},
        stopSignal: 15,
        logFile: '/dev/null',
        mode: 'create',
      });
      await startContainer(runtime, id);
      await deleteContainer(runtime, id, { force: true });
    });
  };
}
