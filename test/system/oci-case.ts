// One bundle that every OCI runtime must understand alike: a change of a configuration, and a script that shows its effect.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Linux, Mount, Resources } from '../../src/oci/runtime/config.ts';
import type { BundleConfig, BundleProcess } from './oci-bundle.ts';
import type { Outcome, Peer } from './oci-peers.ts';

/** A change of the base bundle, which lies in `directory`. */
export type Change = (config: BundleConfig, directory: string) => BundleConfig;

export type Case = {
  readonly script: string;
  readonly change?: Change;
  /** Why a peer is not like berth. */
  readonly differs?: Partial<Record<Exclude<Peer, 'berth'>, string>>;
  /** What is the same all the same, or noise: applied to every output. */
  readonly normal?: (output: string) => string;
  /** What berth must give, where it is not enough that all agree. */
  readonly expect?: Partial<Outcome>;
  /** `failure`: a code other than 0, each runtime its own. */
  readonly codes?: 'failure';
};

/** Other fields of `process`. */
export function process(changes: Partial<BundleProcess>): Change {
  return (config) => ({ ...config, process: { ...config.process, ...changes } });
}

/** Other fields of `linux`. */
export function linux(changes: Partial<Linux>): Change {
  return (config) => ({ ...config, linux: { ...config.linux, ...changes } });
}

/** Limits, and no other. */
export function resources(changes: Resources): Change {
  return linux({ resources: changes });
}

/** More mounts, after the usual ones. */
export function mounts(...more: readonly Mount[]): Change {
  return (config) => ({ ...config, mounts: [...config.mounts, ...more] });
}

/** A volume of the bundle, with an executable `file` in it, mounted. */
export function bindOf(
  config: BundleConfig,
  directory: string,
  options: readonly string[],
  { source = '', destination = '/data' } = {},
): BundleConfig {
  const volume = join(directory, 'volume');
  mkdirSync(volume, { recursive: true });
  writeFileSync(join(volume, 'file'), '#!/bin/sh\necho content\n', { mode: 0o755 });
  const mount: Mount = { destination, type: 'bind', source: join(volume, source), options };
  return { ...config, mounts: [...config.mounts, mount] };
}

/** Without the namespace of `type`: in the host's. */
export function without(config: BundleConfig, type: string): BundleConfig {
  const namespaces = (config.linux.namespaces ?? []).filter((namespace) => namespace.type !== type);
  // sysfs can only be mounted in a network namespace of its own.
  const sys: Mount = { destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', 'ro'] };
  const list = config.mounts.filter(({ destination }) => !destination.startsWith('/sys'));
  return { ...config, mounts: [...list, sys], linux: { ...config.linux, namespaces } };
}
