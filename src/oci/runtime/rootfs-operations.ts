// The root file system of a container: attach it in the new mount namespace, make it the root, let go of the host's.
import {
  MNT_DETACH,
  MOUNT_ATTR_FLAGS,
  MS_FLAGS,
  AT_RECURSIVE,
  OPEN_TREE_FLAGS,
  MOVE_MOUNT_FLAGS,
} from '../../linux/mount-flags.ts';
import { bits, result, text, value, type Operation } from '../../linux/tape/operation.ts';
import { msFlags, setAttributes } from './mount-operations.ts';
import { atCwd } from './path-operations.ts';

/** Where the files come from: a directory of the bundle, or image layers under a writable directory. */
export type Rootfs =
  | { readonly kind: 'directory'; readonly path: string }
  | {
      readonly kind: 'overlay';
      /** Uppermost layer first. */
      readonly lowers: readonly string[];
      readonly upper: string;
      readonly work: string;
      /** Directory that the lowers are named relative to, to keep the option string short. */
      readonly base: string;
    };

/** mount(2) takes at most a page of options. */
const MAX_OPTIONS = 4095;

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
      : directoryOperations(rootfs.path, attachPoint)),
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
  return setAttributes('/', { attrSet: MOUNT_ATTR_FLAGS.MOUNT_ATTR_RDONLY });
}

/** Always nodev: a device node in an image's layer must never open a device of the host. /dev is a mount of its own. */
function overlayOperations(rootfs: Extract<Rootfs, { kind: 'overlay' }>, attachPoint: string): Operation[] {
  const lowers = rootfs.lowers.map((path) =>
    path.startsWith(`${rootfs.base}/`) ? path.slice(rootfs.base.length + 1) : path,
  );
  const options = overlayData(lowers, rootfs);
  return Buffer.byteLength(options) <= MAX_OPTIONS
    ? [
        { call: 'chdir', args: [text(rootfs.base)], what: `stand in ${rootfs.base}` },
        {
          call: 'mount',
          args: [text('overlay'), text(attachPoint), text('overlay'), msFlags(MS_FLAGS.MS_NODEV), text(options)],
          what: `mount an overlay of ${lowers.length} layers`,
        },
      ]
    : longOverlayOperations(rootfs, attachPoint);
}

/** overlayfs: a colon or a backslash in a path is escaped with a backslash; a comma too, for mount(2)'s option string. */
function escape(path: string): string {
  return path.replaceAll(/[\\:,]/g, (character) => `\\${character}`);
}

function overlayData(lowers: readonly string[], { upper, work }: { upper: string; work: string }): string {
  return `lowerdir=${lowers.map(escape).join(':')},upperdir=${escape(upper)},workdir=${escape(work)}`;
}

/** More layers than an option string holds: one fsconfig(2) a layer (`lowerdir+`, Linux 6.5). */
function longOverlayOperations(rootfs: Extract<Rootfs, { kind: 'overlay' }>, attachPoint: string): Operation[] {
  const context = value(OVERLAY_FD, 'overlay');
  const set = (key: string, path: string): Operation => ({
    call: 'fsconfig',
    args: [context, value(1, 'FSCONFIG_SET_STRING'), text(key), text(path), 0],
    what: `set ${key} of the overlay to ${path}`,
  });
  const opened = result('overlay context');
  const mount = result('overlay mount');
  return [
    { call: 'fsopen', args: [text('overlay'), value(1, 'FSOPEN_CLOEXEC')], save: opened, what: 'open an overlay' },
    { call: 'dup3', args: [opened, context, value(0o2000000, 'O_CLOEXEC')], what: 'give the overlay its number' },
    ...rootfs.lowers.map((lower) => set('lowerdir+', lower)),
    set('upperdir', rootfs.upper),
    set('workdir', rootfs.work),
    {
      call: 'fsconfig',
      args: [context, value(6, 'FSCONFIG_CMD_CREATE'), 0, 0, 0],
      what: `make an overlay of ${rootfs.lowers.length} layers`,
    },
    {
      call: 'fsmount',
      args: [context, value(1, 'FSMOUNT_CLOEXEC'), value(MOUNT_ATTR_FLAGS.MOUNT_ATTR_NODEV, 'MOUNT_ATTR_NODEV')],
      save: mount,
      what: 'mount the overlay',
    },
    moveTo(mount, attachPoint),
  ];
}

/** Above all that has been opened when it is given out (see FIFO_FD). */
const OVERLAY_FD = 63;

function directoryOperations(path: string, attachPoint: string): Operation[] {
  const tree = result('root');
  const flags = OPEN_TREE_FLAGS.OPEN_TREE_CLONE | OPEN_TREE_FLAGS.OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  return [
    {
      call: 'open_tree',
      args: [atCwd, text(path), bits(flags, OPEN_TREE_FLAGS)],
      save: tree,
      what: `take the root ${path}`,
    },
    moveTo(tree, attachPoint),
  ];
}

function moveTo(tree: ReturnType<typeof result>, attachPoint: string): Operation {
  const flags = MOVE_MOUNT_FLAGS.MOVE_MOUNT_F_EMPTY_PATH;
  return {
    call: 'move_mount',
    args: [tree, text(''), atCwd, text(attachPoint), value(flags, 'MOVE_MOUNT_F_EMPTY_PATH')],
    what: 'attach the root',
  };
}
