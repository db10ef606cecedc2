// The root file system of a container: attach it in the new mount namespace, make it the root, let go of the host's.
import { MNT_DETACH, MOUNT_ATTR_FLAGS, MS_FLAGS, AT_RECURSIVE, OPEN_TREE_FLAGS } from '../../linux/mount-flags.ts';
import { bits, result, text, value, type Operation } from '../../linux/tape/operation.ts';
import { changeAttributes, msFlags } from './mount-calls.ts';
import { moveTo, type Overlay, overlayOperations } from './overlay-operations.ts';
import { atCwd } from './path-operations.ts';

/** Where the files come from: a directory of the bundle, or image layers under a writable directory. */
export type Rootfs = { readonly kind: 'directory'; readonly path: string } | ({ readonly kind: 'overlay' } & Overlay);

/** Attach the root at `attachPoint` (an existing directory of the host) and pivot into it. Afterwards `/` is the container. */
export function rootfsOperations(rootfs: Rootfs, attachPoint: string, propagation: number): Operation[] {
  return [
    {
      call: 'mount',
      args: [0, text('/'), 0, msFlags(propagation | MS_FLAGS.MS_REC), 0],
      what: 'keep mounts from the host and to the host apart',
    },
    ...(rootfs.kind === 'overlay'
      ? overlayOperations(rootfs, attachPoint)
      : [takeRoot(rootfs.path), attachRoot(attachPoint)]),
  ];
}

/** From the attached root into it. */
export function pivotOperations(attachPoint: string): Operation[] {
  return [
    { call: 'chdir', args: [text(attachPoint)], what: 'enter the new root' },
    { call: 'pivot_root', args: [text('.'), text('.')], what: 'make it the root' },
    // Both are at `.` now, the old root on top (pivot_root(2), "pivot_root(".", ".")"); below it stands the tape.
    { call: 'umount2', args: [text('.'), value(MNT_DETACH, 'MNT_DETACH')], what: "let go of the host's root" },
  ];
}

/** Make the root read-only, after the last mount point was made in it. */
export function readonlyRoot(): Operation {
  return changeAttributes('/', { set: MOUNT_ATTR_FLAGS.MOUNT_ATTR_RDONLY, clear: 0 });
}

const ROOT = result('root');

/** A copy of the directory's mount, as a descriptor. */
export function takeRoot(path: string): Operation {
  const flags = OPEN_TREE_FLAGS.OPEN_TREE_CLONE | OPEN_TREE_FLAGS.OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  return {
    call: 'open_tree',
    args: [atCwd, text(path), bits(flags, OPEN_TREE_FLAGS)],
    save: ROOT,
    what: `take the root ${path}`,
  };
}

/** Attach what `takeRoot` has taken. */
export function attachRoot(attachPoint: string): Operation {
  return moveTo(ROOT, attachPoint);
}
