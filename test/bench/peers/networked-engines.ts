// podman and docker with their own bridges and published ports, in a network namespace of the scene.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { firstLine } from '../first-line.ts';
import { findProgram, runProgram } from '../program.ts';
import type { Scene } from '../scene.ts';
import { crunView } from './crun-view.ts';
import { startDaemon } from './daemon.ts';
import { unmountBelow } from './mounts.ts';
import { networkNamespace } from './network-namespace.ts';

export type NetworkedEngine = {
  /** To be called before each run. */
  readonly prepare?: () => Promise<void>;
  /** Run `true` with a port published, to its end, and remove the container. */
  readonly run: (hostPort: number) => Promise<void>;
};

/** An engine, or why there is none. */
export type NetworkedEngineOrReason = { readonly name: string; readonly engine: NetworkedEngine | string };

const IMAGE = 'localhost/bench:1';

/** Both engines with an image made of the directory `rootfs`. One that does not start is a reason, not a failure. */
export async function networkedEngines(scene: Scene, rootfs: string): Promise<readonly NetworkedEngineOrReason[]> {
  const archive = join(scene.directory, 'rootfs.tar');
  execFileSync('tar', ['--create', '--file', archive, '--directory', rootfs, '.']);
  const inside = await networkNamespace(scene);
  const setting = { scene, inside, archive };
  return [await started('podman', podman, setting), await started('docker', docker, setting)];
}

type Setting = { readonly scene: Scene; readonly inside: readonly string[]; readonly archive: string };

async function started(
  name: string,
  start: (setting: Setting) => Promise<NetworkedEngine | string>,
  setting: Setting,
): Promise<NetworkedEngineOrReason> {
  try {
    const engine = await start(setting);
    if (typeof engine !== 'string') await engine.run(1080);
    return { name, engine };
  } catch (error) {
    return { name, engine: `${name} does not run a container with a network here: ${firstLine(error)}` };
  }
}

async function podman({ scene, inside, archive }: Setting): Promise<NetworkedEngine | string> {
  const program = findProgram('podman');
  if (program === undefined) return 'podman is not installed';
  const { mountNamespace, prepare } = await crunView(scene);
  const place = ['--root', join(scene.directory, 'podman'), '--runroot', join(scene.directory, 'podman-run')];
  const global = [...place, '--cgroup-manager', 'cgroupfs', '--log-level', 'error'];
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
  const parent = ['--cgroup-parent', `${scene.peerCgroupParent}/podman`];
  const command = (...args: readonly string[]): Promise<void> =>
    runProgram([...inside, program, ...global, ...args], { mountNamespace });
  scene.cleanup.defer(() => unmountBelow(scene.directory));
  await command('import', '--quiet', archive, IMAGE);
  return {
    prepare,
    run: (hostPort) => command('run', '--rm', '--publish', `${hostPort}:80`, ...parent, ...limits, IMAGE, '/bin/true'),
  };
}

async function docker({ scene, inside, archive }: Setting): Promise<NetworkedEngine | string> {
  const [daemon, client] = [findProgram('dockerd'), findProgram('docker')];
  if (daemon === undefined || client === undefined) return 'docker is not installed';
  const [root, state] = [join(scene.directory, 'docker'), join(scene.directory, 'docker-run')];
  const socket = `unix://${state}.sock`;
  const place = ['--data-root', root, '--exec-root', state, '--pidfile', `${state}.pid`, '--host', socket];
  const options = ['--bip', '10.211.0.1/24', '--cgroup-parent', `${scene.peerCgroupParent}/docker`];
  const command = (...args: readonly string[]): Promise<void> => runProgram([client, '--host', socket, ...args]);
  scene.cleanup.defer(() => unmountBelow(scene.directory));
  const [first = daemon, ...words] = inside;
  await startDaemon(scene, [first, ...words, daemon, ...place, ...options], () =>
    runProgram([client, '--host', socket, 'version'], { complaints: 'hidden' }),
  );
  await command('import', archive, IMAGE);
  return { run: (hostPort) => command('run', '--rm', '--publish', `${hostPort}:80`, IMAGE, '/bin/true') };
}
