// A small configuration and the facts of a machine, for tapes of one thing at a time.
import type { Tape } from '../../../src/linux/tape/operation.ts';
import type { Linux, Process, RuntimeConfig } from '../../../src/oci/runtime/config.ts';
import { containerTape, type ContainerTapeOptions } from '../../../src/oci/runtime/container-tape.ts';

export const FACTS: ContainerTapeOptions['facts'] = {
  kindOf: () => 'directory',
  modeOf: () => undefined,
  cgroupMounts: [{ version: 2, directory: '', options: '' }],
  seccompFilter: undefined,
  seccompFlags: 0,
  capabilities: 0b1n,
  bounding: 0b1n,
  labels: { apparmor: false, selinux: false },
  mountPointOf: () => '/srv',
};

export const PROCESS: Process = {
  user: { uid: 0, gid: 0 },
  args: ['/program'],
  cwd: '/',
  capabilities: { bounding: ['CAP_CHOWN'] },
};

type Changes = {
  readonly config?: Partial<RuntimeConfig>;
  readonly linux?: Partial<Linux>;
  readonly options?: Partial<ContainerTapeOptions>;
};

/** The tape of /program in the bundle /b, in pid, mount and uts namespaces, with these changes. */
export function tapeWith({ config, linux, options }: Changes): Tape {
  return containerTape({
    config: {
      ociVersion: '1.3.0',
      root: { path: 'rootfs' },
      process: PROCESS,
      mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
      linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'uts' }], ...linux },
      ...config,
    },
    rootfs: { kind: 'directory', path: '/b/rootfs' },
    directory: '/s/containers/c1',
    cgroupTasks: ['/sys/fs/cgroup/pids/c1/tasks'],
    cgroupDirectory: undefined,
    stdio: {},
    startFifo: undefined,
    facts: FACTS,
    ...options,
  });
}
