// One bundle for all runtimes: a root with a static busybox, and the config.json that berth makes by default.
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { generateConfig } from '../../src/oci/runtime/generate-config.ts';
import type { RuntimeConfig } from '../../src/oci/runtime/config.ts';
import { prepareForMany } from '../../src/oci/runtime/prepare-for-many.ts';
import { openRuntime, type Runtime } from '../../src/oci/runtime/runtime.ts';
import { readCgroupLayout } from '../../src/linux/cgroup/layout.ts';
import type { Scene } from './scene.ts';
import { hostPlatform } from '../../src/oci/image/platform.ts';

export type Bundle = { readonly directory: string; readonly rootfs: string };

const APPLETS = ['sh', 'true', 'sleep'];
const MIB = 1024 * 1024;

/** Make `directory`/rootfs. */
export function makeBundle(directory: string): Bundle {
  const rootfs = join(directory, 'rootfs');
  mkdirSync(join(rootfs, 'bin'), { recursive: true });
  for (const name of ['proc', 'sys', 'dev', 'etc', 'tmp']) mkdirSync(join(rootfs, name));
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'));
  chmodSync(join(rootfs, 'bin/busybox'), 0o755);
  for (const name of APPLETS) symlinkSync('busybox', join(rootfs, 'bin', name));
  return { directory, rootfs };
}

/** All namespaces, limits of memory, processor and processes, the default capabilities and seccomp filter, no network. */
export function benchConfig({ machine }: Runtime, args: readonly string[], cgroupPath: string): RuntimeConfig {
  return generateConfig(
    { ...hostPlatform(), config: {}, rootfs: { diff_ids: [] } },
    {
      hostname: 'bench',
      command: args,
      env: [],
      user: { uid: 0, gid: 0 },
      home: '/root',
      mounts: [],
      resources: { memory: { limit: 128 * MIB }, cpu: { quota: 100_000, period: 100_000 }, pids: { limit: 512 } },
      capabilitiesAdd: [],
      capabilitiesDrop: [],
      privileged: false,
      readonlyRootfs: false,
      noNewPrivileges: true,
      seccomp: 'default',
      terminal: false,
      cgroupPath,
    },
    machine,
  );
}

/** Write config.json where the other runtimes read it. crun 1.8 knows no version above 1.0. */
export function writeConfig(bundle: Bundle, config: RuntimeConfig): void {
  writeFileSync(join(bundle.directory, 'config.json'), JSON.stringify({ ...config, ociVersion: '1.0.2' }));
}

/** berth's runtime with its state in the scene, in this process, prepared as the agent is. */
export async function benchRuntime({ state, cgroupParent }: Scene): Promise<Runtime> {
  const stateDirectory = join(state, 'berth');
  mkdirSync(stateDirectory);
  const runtime = openRuntime({ stateDirectory, cgroups: readCgroupLayout() });
  await prepareForMany(runtime, cgroupParent);
  return runtime;
}
