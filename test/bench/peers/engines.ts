// containerd (by ctr), docker and podman, each with a root of its own in the scene, without touching the host's network.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { firstLine } from '../first-line.ts';
import { findProgram, runProgram } from '../program.ts';
import type { Scene } from '../scene.ts';
import { crunView } from './crun-view.ts';
import { startDaemon } from './daemon.ts';
import { unmountBelow } from './mounts.ts';

/** What the benchmarks ask of an engine. */
export type Engine = {
  readonly name: string;
  /** To be called before each run. */
  readonly prepare?: () => Promise<void>;
  readonly pull: (reference: string) => Promise<void>;
  /** Run to the end and remove the container, without a network. */
  readonly run: (reference: string, id: string, ...command: readonly string[]) => Promise<void>;
  /** Run in the background until the engine ends. Only where it is measured. */
  readonly start?: (reference: string, ...command: readonly string[]) => Promise<void>;
};

/** An engine, or why there is none. */
export type EngineOrReason = { readonly name: string; readonly engine?: Engine; readonly missing?: string };

/** Start all that are installed. One that does not start is a reason, not a failure. */
export async function startEngines(scene: Scene): Promise<readonly EngineOrReason[]> {
  const found: EngineOrReason[] = [];
  for (const [name, start] of [
    ['ctr', startContainerd],
    ['podman', startPodman],
    ['docker', startDocker],
  ] as const) {
    const missing = { name, missing: `${name} is not installed` };
    try {
      const engine = await start(scene);
      found.push(engine === undefined ? missing : { name, engine });
    } catch (error) {
      found.push({ name, missing: `${name} does not start here: ${firstLine(error)}` });
    }
  }
  return found;
}

async function startContainerd(scene: Scene): Promise<Engine | undefined> {
  const [daemon, ctr] = [findProgram('containerd'), findProgram('ctr')];
  if (daemon === undefined || ctr === undefined) return undefined;
  const [root, state] = [join(scene.directory, 'containerd'), join(scene.directory, 'containerd-run')];
  const socket = join(state, 'containerd.sock');
  mkdirSync(state);
  const config = join(scene.directory, 'containerd.toml');
  const lines = [
    'version = 2',
    `root = ${JSON.stringify(root)}`,
    `state = ${JSON.stringify(state)}`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    `[grpc]\n  address = ${JSON.stringify(socket)}`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  scene.cleanup.defer(() => unmountBelow(scene.directory));
  const run = (...args: readonly string[]): Promise<void> => runProgram([ctr, '--address', socket, ...args]);
  await startDaemon(scene, [daemon, '--config', config], () =>
    runProgram([ctr, '--address', socket, '--connect-timeout', '1s', 'version'], { complaints: 'hidden' }),
  );
  return {
    name: 'ctr',
    pull: (reference) => run('image', 'pull', '--plain-http', reference),
    run: (reference, id, ...command) =>
      run('run', '--rm', '--cgroup', `${scene.peerCgroupParent}/ctr/${id}`, reference, id, ...command),
  };
}

async function startPodman(scene: Scene): Promise<Engine | undefined> {
  const podman = findProgram('podman');
  if (podman === undefined) return undefined;
  const { mountNamespace, prepare } = await crunView(scene);
  const place = ['--root', join(scene.directory, 'podman'), '--runroot', join(scene.directory, 'podman-run')];
  const global = [...place, '--cgroup-manager', 'cgroupfs', '--log-level', 'error'];
  const parent = ['--cgroup-parent', `${scene.peerCgroupParent}/podman`];
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
  const run = (...args: readonly string[]): Promise<void> =>
    runProgram([podman, ...global, ...args], { mountNamespace });
  scene.cleanup.defer(() => unmountBelow(scene.directory));
  await run('info');
  return {
    name: 'podman',
    prepare,
    pull: (reference) => run('pull', '--quiet', '--tls-verify=false', reference),
    run: (reference, _id, ...command) =>
      run('run', '--rm', '--network', 'none', ...parent, ...limits, reference, ...command),
  };
}

/** Docker alone. Undefined when it is not installed. */
export async function startDocker(scene: Scene): Promise<Engine | undefined> {
  const [daemon, docker] = [findProgram('dockerd'), findProgram('docker')];
  if (daemon === undefined || docker === undefined) return undefined;
  const [root, state] = [join(scene.directory, 'docker'), join(scene.directory, 'docker-run')];
  const socket = `unix://${state}.sock`;
  const place = ['--data-root', root, '--exec-root', state, '--pidfile', `${state}.pid`, '--host', socket];
  const network = [
    '--bridge',
    'none',
    '--iptables=false',
    '--ip6tables=false',
    '--ip-forward=false',
    '--ip-masq=false',
  ];
  scene.cleanup.defer(() => unmountBelow(scene.directory));
  const run = (...args: readonly string[]): Promise<void> => runProgram([docker, '--host', socket, ...args]);
  await startDaemon(scene, [daemon, ...place, ...network, '--cgroup-parent', `${scene.peerCgroupParent}/docker`], () =>
    runProgram([docker, '--host', socket, 'version'], { complaints: 'hidden' }),
  );
  return {
    name: 'docker',
    pull: (reference) => run('pull', '--quiet', reference),
    run: (reference, _id, ...command) => run('run', '--rm', '--network', 'none', reference, ...command),
    start: (reference, ...command) => run('run', '--detach', '--network', 'none', reference, ...command),
  };
}
