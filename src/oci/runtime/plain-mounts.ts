// The mounts of config.json in one spelling: absolute, without `.`, `..` and slashes too many.
import { posix } from 'node:path';

import { OciError } from '../error.ts';
import type { Mount, RuntimeConfig } from './config.ts';

/**
 * A relative destination counts from the root, as in bundles of version 1.0 and in runc; a relative source of a bind mount from
 * the bundle (config.md "Mounts"). Pure. Throws OciError CONFIG_INVALID when a mount has no destination.
 */
export function withPlainMounts(config: RuntimeConfig, bundle: string): RuntimeConfig {
  return config.mounts === undefined
    ? config
    : { ...config, mounts: config.mounts.map((mount, index) => plainMount(mount, index, bundle)) };
}

function plainMount(mount: Mount, index: number, bundle: string): Mount {
  const { destination, source } = mount as Partial<Mount>;
  if (typeof destination !== 'string' || destination === '') {
    throw new OciError('CONFIG_INVALID', `mounts[${index}].destination is missing`);
  }
  const plain = { ...mount, destination: plainPath(destination) };
  if (source === undefined || source === '' || source.startsWith('/') || !isBind(mount)) return plain;
  return { ...plain, source: posix.resolve(bundle, source) };
}

/** Whether something of the host is shown, and no file system of its own. */
export function isBind({ type, options = [] }: Mount): boolean {
  return type === 'bind' || options.includes('bind') || options.includes('rbind');
}

function plainPath(path: string): string {
  const normal = posix.normalize(`/${path}`);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}
