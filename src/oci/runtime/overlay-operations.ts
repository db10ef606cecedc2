// An overlay of image layers under a writable directory, attached in the container's own mount namespace.
import { MOVE_MOUNT_FLAGS, MS_FLAGS } from '../../linux/mount-flags.ts';
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

/**
 * More layers than an option string holds: each is opened, and named by the number of its descriptor. The kernel takes 500
 * layers at most, and `lowerdir+`, which needs no such names, is there since 6.5 only.
 */
function longOverlayOperations(stack: Stack, attachPoint: string): Operation[] {
  const numbers = stack.paths.map((_, index) => FIRST_LAYER_FD + index);
  const opened = stack.paths.flatMap((path, index) => openAt(path, FIRST_LAYER_FD + index));
  const data = overlayData({ ...stack, paths: numbers.map(String) });
  return [
    ...opened,
    { call: 'chdir', args: [text('/proc/self/fd')], what: 'stand among the descriptors' },
    overlayOperation(stack, data, attachPoint),
    {
      call: 'close_range',
      args: [FIRST_LAYER_FD, FIRST_LAYER_FD + stack.paths.length - 1, 0],
      what: 'close the layers',
    },
  ];
}

/**
 * Above all that is open then, and what mounts are given (FIRST_MOUNT_FD): each layer takes a number that the kernel chooses, and
 * this one. Both are closed at the latest by the exec. Node has raised the limit on descriptors, which is 1024 at first.
 */
const FIRST_LAYER_FD = 768;

function openAt(path: string, number: number): Operation[] {
  const layer = result(`layer ${number}`);
  const flags = value(0o12200000, 'O_PATH|O_DIRECTORY|O_CLOEXEC');
  return [
    { call: 'openat', args: [atCwd, text(path), flags, 0], save: layer, what: `open the layer ${path}` },
    { call: 'dup3', args: [layer, number, value(0o2000000, 'O_CLOEXEC')], what: 'give the layer its number' },
  ];
}

/** Attach a mount that is a descriptor. */
export function moveTo(tree: ReturnType<typeof result>, attachPoint: string): Operation {
  const flags = MOVE_MOUNT_FLAGS.MOVE_MOUNT_F_EMPTY_PATH;
  return {
    call: 'move_mount',
    args: [tree, text(''), atCwd, text(attachPoint), value(flags, 'MOVE_MOUNT_F_EMPTY_PATH')],
    what: 'attach the root',
  };
}
