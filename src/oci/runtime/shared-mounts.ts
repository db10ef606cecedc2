// What a container without a mount namespace of its own leaves where others see it: found again, and unmounted.
import { closeSync, openSync } from 'node:fs';

import { O_CLOEXEC, O_DIRECTORY, O_PATH } from '../../linux/at.ts';
import { MNT_DETACH } from '../../linux/mount-flags.ts';
import { umount2 } from '../../linux/umount.ts';
import { mountIdsAt } from '../../linux/mount-point.ts';
import type { RuntimeConfig } from './config.ts';
import { hasNamespace } from './namespaces-of.ts';
import type { Rootfs } from './rootfs-operations.ts';
import { ROOT_FD } from './shared-root-operations.ts';

/** A mount point of the runtime's mount namespace, and the numbers of the mounts that were on it before. */
export type SharedMounts = { readonly path: string; readonly before: readonly number[] };

/** What is there before the container is; undefined where it mounts elsewhere. Throws what reading /proc throws. */
export function mountsBefore(config: RuntimeConfig, rootfs: Rootfs): SharedMounts | undefined {
  if (hasNamespace(config, 'mount') || rootfs.kind !== 'directory') return undefined;
  return { path: rootfs.path, before: mountIdsAt(rootfs.path) };
}

/** Unmount what has come since, with all that is mounted in it. Throws what umount2(2) throws. */
export function takeMountsBack({ path, before }: SharedMounts): void {
  for (const id of mountIdsAt(path)) if (!before.includes(id)) umount2(path, MNT_DETACH);
}

/** The root of a process as the descriptor `ROOT_FD` of a tape. Throws ENOENT when the process is gone. */
export function openRootOf(
  pid: number,
): Disposable & { readonly fds: readonly (readonly [from: number, to: number])[] } {
  const number = openSync(`/proc/${pid}/root`, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return { fds: [[number, ROOT_FD]], [Symbol.dispose]: () => closeSync(number) };
}
