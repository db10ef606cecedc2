// Bundles for OCI runtimes: a busybox root, and a config.json as `runc spec` makes it, with a change.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Mount, Process, RuntimeConfig } from '../../src/oci/runtime/config.ts';
import { DEFAULT_CAPABILITIES, READONLY_PATHS, maskedPaths } from '../../src/oci/runtime/defaults.ts';
import { makeBusyboxRoot } from './busybox-bundle.ts';

export type BundleProcess = Process & { readonly args: readonly string[] };
export type BundleConfig = RuntimeConfig & {
  readonly process: BundleProcess;
  readonly mounts: readonly Mount[];
  readonly linux: NonNullable<RuntimeConfig['linux']>;
};

const MOUNTS: readonly Mount[] = [
  { destination: '/proc', type: 'proc', source: 'proc' },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
  },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  {
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
  },
];

/** A shell script in all namespaces, with the default capabilities. crun 1.8 knows no version above 1.0. */
export function bundleConfig(script: string, cgroupsPath: string): BundleConfig {
  const held = DEFAULT_CAPABILITIES;
  return {
    ociVersion: '1.0.2',
    hostname: 'bundle',
    root: { path: 'rootfs', readonly: false },
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ['/bin/sh', '-c', script],
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'],
      cwd: '/',
      capabilities: { bounding: held, effective: held, permitted: held, inheritable: [], ambient: [] },
      noNewPrivileges: true,
    },
    mounts: MOUNTS,
    linux: {
      namespaces: (['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'] as const).map((type) => ({ type })),
      cgroupsPath,
      maskedPaths: maskedPaths(),
      readonlyPaths: READONLY_PATHS,
    },
  };
}

/** Write a bundle into `directory`; its root is made when it is missing. */
export function writeBundle(directory: string, config: RuntimeConfig): void {
  mkdirSync(directory, { recursive: true });
  if (!existsSync(join(directory, 'rootfs/bin'))) makeBusyboxRoot(join(directory, 'rootfs'));
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
}
