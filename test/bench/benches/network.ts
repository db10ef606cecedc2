// `true` in a pod with an address of the bridge and a published port, to its end, and everything removed.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { importImages } from '../../../src/oci/image/import.ts';
import { resolveImage } from '../../../src/oci/image/resolve.ts';
import type { Image } from '../../../src/oci/image/image.ts';
import { openHost, type Host } from '../../../src/oci/host.ts';
import { removePod } from '../../../src/oci/pod/remove.ts';
import { resetHost } from '../../../src/oci/pod/reset.ts';
import { runStandalone } from '../../../src/oci/pod/run-container.ts';
import { prepareForMany } from '../../../src/oci/runtime/prepare-for-many.ts';
import { freePort } from '../../../examples/quickstart/machine.ts';
import { busyboxImage, saveArchive } from '../../tools/image.ts';
import { makeBundle } from '../bundle.ts';
import { networkedEngines } from '../peers/networked-engines.ts';
import { rowsOf, type Row } from '../row.ts';
import { interleave, timed, type Bench, type Contender, type Scene } from '../scene.ts';

export const networkBench: Bench = {
  name: 'network',
  what: 'start → exit of `true` with a bridge network and a published port, removed again',
  budget: 'start → exit p50 ≤ 15 ms',
  run,
};

/** A run of docker takes half a second. */
const SHARE = 5;
const REFERENCE = 'localhost/busybox:1';
const HOST_PORTS_FROM = 20_000;

async function run(scene: Scene): Promise<Row[]> {
  const runs = Math.max(3, Math.ceil(scene.runs / SHARE));
  const exited: number[] = [];
  const cycle = await berth(scene, exited);
  scene.say('starting the peers');
  const engines = await networkedEngines(scene, makeBundle(scene.directory).rootfs);
  let port = HOST_PORTS_FROM;
  const peers = engines.flatMap(({ name, engine }): Contender[] =>
    typeof engine === 'string'
      ? []
      : [{ name, prepare: engine.prepare, sample: () => timed(() => engine.run((port += 1))) }],
  );
  const samples = await interleave([{ name: 'berth', sample: () => timed(cycle) }, ...peers], runs);
  const rows = rowsOf({
    name: 'network',
    unit: 'ms',
    samples: samples.get('berth') ?? [],
    peers: engines.map(({ name, engine }) => ({
      name: `${name} run`,
      samples: samples.get(name) ?? [],
      ...(typeof engine === 'string' ? { missing: engine } : {}),
    })),
    note: 'berth works in its own process, as the agent does; podman and docker are commands, in a network namespace of their own',
  });
  const own = rowsOf({ name: 'network: to the exit only', unit: 'ms', samples: exited.slice(-runs), peers: [] });
  return [...rows, ...own];
}

/** One run to its end. The milliseconds to the exit, before anything is removed, are added to `exited`. */
async function berth(scene: Scene, exited: number[]): Promise<() => Promise<void>> {
  const [root, state] = [join(scene.directory, 'root'), join(scene.state, 'network')];
  mkdirSync(state);
  const host = openHost({ root, state, cgroupParent: scene.cgroupParent });
  scene.cleanup.defer(() => resetHost(host, { graceMs: 0 }));
  await prepareForMany(host.runtime, scene.cgroupParent);
  const image = await imported(host, scene);
  const hostPort = await freePort();
  let serial = 0;
  return async () => {
    const started = performance.now();
    const { monitor, podUid } = await runStandalone(host, request(`bench-${(serial += 1)}`, { image, hostPort }));
    await monitor.ended;
    exited.push(performance.now() - started);
    await removePod(host, podUid, { graceMs: 0 });
  };
}

async function imported(host: Host, { directory }: Scene): Promise<Image> {
  const archive = saveArchive(busyboxImage({ reference: REFERENCE }), join(directory, 'busybox.oci.tar'));
  await importImages(archive, { store: host.content, layers: host.layers });
  const image = resolveImage(host.content, REFERENCE);
  if (image === undefined) throw new Error(`${archive} was imported, and ${REFERENCE} is not there`);
  return image;
}

function request(
  name: string,
  { image, hostPort }: { readonly image: Image; readonly hostPort: number },
): Parameters<typeof runStandalone>[1] {
  return {
    name,
    image,
    hostname: undefined,
    network: 'bridge',
    ports: [{ hostPort, hostIP: undefined, containerPort: 80, protocol: 'TCP' }],
    command: ['/bin/true'],
    args: undefined,
    mounts: [],
    env: [],
    workingDir: undefined,
    resources: { memory: { limit: 128 * 1024 * 1024 }, pids: { limit: 512 } },
    userSpec: undefined,
    runAsNonRoot: false,
    supplementalGroups: [],
    capabilitiesAdd: [],
    capabilitiesDrop: [],
    privileged: false,
    readonlyRootfs: false,
    noNewPrivileges: true,
    seccomp: 'default',
    terminal: false,
  };
}
