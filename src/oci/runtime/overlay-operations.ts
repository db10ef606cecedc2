// An overlay of image layers under a writable directory, attached in the container's own mount namespace.
import { MOUNT_ATTR_FLAGS, MOVE_MOUNT_FLAGS, MS_FLAGS } from '../../linux/mount-flags.ts';
import { bits, result, text, value, type Operation } from '../../linux/tape/operation.ts';
import { atCwd } from './path-operations.ts';

export type Overlay = {
  /** Uppermost layer first. */
  readonly lowers: readonly Lower[];
  readonly upper: string;
  readonly work: string;
  /** Directory that the lowers are named relative to, to keep the option string short. */
  readonly base: string;
};

/** A layer: a directory, or an EROFS image to mount on one first. */
export type Lower = string | LowerImage;

export type LowerImage = {
  /** Where what is in the image can be seen before there is a container. */
  readonly directory: string;
  /** An existing directory. */
  readonly mountPoint: string;
  /** Names in `mountPoint`: the image, and the tar that has the data. */
  readonly image: string;
  readonly tar: string;
};

/** mount(2) takes at most a page of options. */
const MAX_OPTIONS = 4095;

/** Mount the overlay at `attachPoint`, standing in its base afterwards where names are relative to that. */
export function overlayOperations(overlay: Overlay, attachPoint: string): Operation[] {
  const images = overlay.lowers.filter((lower) => typeof lower !== 'string');
  const paths = overlay.lowers.map((lower) => (typeof lower === 'string' ? lower : lower.mountPoint));
  const isForeign = images.length > 0 || paths.some((path) => !path.startsWith(`${overlay.base}/`));
  const stack: Stack = { ...overlay, paths, xino: isForeign ? 'auto' : undefined };
  const stand: Operation = { call: 'chdir', args: [text(overlay.base)], what: `stand in ${overlay.base}` };
  const mounts = images.map((image) => imageOperation(image, overlay.base));
  const data = overlayData(stack);
  if (Buffer.byteLength(data) <= MAX_OPTIONS) return [stand, ...mounts, overlayOperation(stack, data, attachPoint)];
  return [...(mounts.length === 0 ? [] : [stand]), ...mounts, ...longOverlayOperations(stack, attachPoint)];
}

type Stack = {
  readonly paths: readonly string[];
  readonly upper: string;
  readonly work: string;
  readonly base: string;
  /** Gives all files one st_dev, those of layers that are file systems of their own as well. */
  readonly xino: 'auto' | undefined;
};

/** Always nodev: a device node in an image's layer must never open a device of the host. /dev is a mount of its own. */
function overlayOperation({ paths }: Stack, data: string, attachPoint: string): Operation {
  const flags = bits(MS_FLAGS.MS_NODEV, MS_FLAGS);
  return {
    call: 'mount',
    args: [text('overlay'), text(attachPoint), text('overlay'), flags, text(data)],
    what: `mount an overlay of ${paths.length} layers`,
  };
}

/** On the layer's own directory, which it hides: in this mount namespace alone, and no longer than the host is in view. */
function imageOperation({ mountPoint, image, tar }: LowerImage, base: string): Operation {
  const at = relative(mountPoint, base);
  const flags = MS_FLAGS.MS_RDONLY | MS_FLAGS.MS_NODEV | MS_FLAGS.MS_NOSUID;
  return {
    call: 'mount',
    args: [text(`${at}/${image}`), text(at), text('erofs'), bits(flags, MS_FLAGS), text(`device=${at}/${tar}`)],
    what: `mount the layer ${at}`,
  };
}

function relative(path: string, base: string): string {
  return path.startsWith(`${base}/`) ? path.slice(base.length + 1) : path;
}

/** overlayfs: a colon or a backslash in a path is escaped with a backslash; a comma too, for mount(2)'s option string. */
function escape(path: string): string {
  return path.replaceAll(/[\\:,]/g, (character) => `\\${character}`);
}

function overlayData({ paths, base, upper, work, xino }: Stack): string {
  const lowers = paths.map((path) => escape(relative(path, base)));
  const directories = `lowerdir=${lowers.join(':')},upperdir=${escape(upper)},workdir=${escape(work)}`;
  return xino === undefined ? directories : `${directories},xino=${xino}`;
}

/** More layers than an option string holds: one fsconfig(2) a layer (`lowerdir+`, Linux 6.5). */
function longOverlayOperations(stack: Stack, attachPoint: string): Operation[] {
  const context = value(OVERLAY_FD, 'overlay');
  const set = (key: string, given: string): Operation => ({
    call: 'fsconfig',
    args: [context, value(1, 'FSCONFIG_SET_STRING'), text(key), text(given), 0],
    what: `set ${key} of the overlay to ${given}`,
  });
  const opened = result('overlay context');
  const mount = result('overlay mount');
  return [
    { call: 'fsopen', args: [text('overlay'), value(1, 'FSOPEN_CLOEXEC')], save: opened, what: 'open an overlay' },
    { call: 'dup3', args: [opened, context, value(0o2000000, 'O_CLOEXEC')], what: 'give the overlay its number' },
    ...stack.paths.map((lower) => set('lowerdir+', lower)),
    set('upperdir', stack.upper),
    set('workdir', stack.work),
    ...(stack.xino === undefined ? [] : [set('xino', stack.xino)]),
    {
      call: 'fsconfig',
      args: [context, value(6, 'FSCONFIG_CMD_CREATE'), 0, 0, 0],
      what: `make an overlay of ${stack.paths.length} layers`,
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

/** Attach a mount that is a descriptor. */
export function moveTo(tree: ReturnType<typeof result>, attachPoint: string): Operation {
  const flags = MOVE_MOUNT_FLAGS.MOVE_MOUNT_F_EMPTY_PATH;
  return {
    call: 'move_mount',
    args: [tree, text(''), atCwd, text(attachPoint), value(flags, 'MOVE_MOUNT_F_EMPTY_PATH')],
    what: 'attach the root',
  };
}
