// A container without a mount namespace of its own: its root and its mounts are made in the runtime's, or in one that it joins, and
// others see them there. pivot_root(2) would change the root of these others, so the process alone changes its root.
//
//   take the root and the sources ─▶ [join the namespace] ─▶ attach the root where it lies ─▶ chroot ─▶ mounts
import { MS_FLAGS } from '../../linux/mount-flags.ts';
import { text, value, type Operation } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { RuntimeConfig } from './config.ts';
import { msFlags } from './mount-calls.ts';
import { hasOwnMounts } from './namespaces-of.ts';
import { attachRoot, type Rootfs } from './rootfs-operations.ts';

/** Where `exec` and hooks find the root of such a container: a descriptor of its directory. */
export const ROOT_FD = 9;

/** The directory that such a container has for a root; undefined where its mounts are its own. Throws OciError CONFIG_INVALID. */
export function sharedRoot(config: RuntimeConfig, rootfs: Rootfs): string | undefined {
  if (hasOwnMounts(config)) return undefined;
  if (rootfs.kind === 'directory') return rootfs.path;
  throw new OciError('CONFIG_INVALID', "linux.namespaces: a container of image layers needs a new 'mount' namespace");
}

/** Attach what `takeRoot` has taken; then enter it. What is mounted in it spreads no further. */
export function sharedRootOperations(path: string): readonly [attach: Operation[], enter: Operation[]] {
  const flags = msFlags(MS_FLAGS.MS_PRIVATE | MS_FLAGS.MS_REC);
  return [
    [attachRoot(path), { call: 'mount', args: [0, text(path), 0, flags, 0], what: `keep mounts in ${path} there` }],
    [{ call: 'chdir', args: [text(path)], what: 'enter the new root' }, chrootHere()],
  ];
}

/** The root of this process alone. */
export function chrootHere(): Operation {
  return { call: 'chroot', args: [text('.')], what: 'make it the root of this process' };
}

/** For a process that has joined the namespaces of such a container, which leaves it in the root of all others. */
export function enterSharedRoot(): Operation[] {
  return [{ call: 'fchdir', args: [value(ROOT_FD, 'root')], what: 'enter the root of the container' }, chrootHere()];
}
