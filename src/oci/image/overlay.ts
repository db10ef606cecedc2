// An overlay of layers as a mount that is attached nowhere: a descriptor, which move_mount(2) or openat2(2) take. It is in
// no mount namespace, so nothing leaks from the host and nothing is busy when it is closed.
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { O_DIRECTORY, O_PATH, openat } from '../../linux/at.ts';
import { isErrno } from '../../linux/errno.ts';
import type { Fd } from '../../linux/fd.ts';
import {
  fsconfigCreate,
  fsconfigSet,
  fsmount,
  fsopen,
  mount,
  mountSetattr,
  openTree,
  umount2,
} from '../../linux/mount-api.ts';
import { AT_FDCWD, MNT_DETACH, MOUNT_ATTR_FLAGS, MS_FLAGS, OPEN_TREE_FLAGS } from '../../linux/mount-flags.ts';
import { OciError } from '../error.ts';
import {
  joinedOverlayOptions,
  MOST_LAYERS,
  type Overlay,
  type OverlayOption,
  overlayMountData,
  overlayOptions,
} from './overlay-options.ts';

/** `append` since Linux 6.8, `joined` for few layers, `mount` for any other. By default the first that works. */
export type OverlayMethod = 'append' | 'joined' | 'mount';

export type OpenOverlayOptions = {
  /** Let neither device nodes nor set-id bits of the layers mean anything. */
  readonly inert?: boolean;
  readonly method?: OverlayMethod;
};

/** Throws OciError OVERLAY_FAILED with what the kernel says of the reason. */
export function openOverlay(overlay: Overlay, { inert = false, method }: OpenOverlayOptions = {}): Fd {
  const { length } = overlay.lowers;
  try {
    if (length === 0 || length > MOST_LAYERS) throw new RangeError(`overlayfs takes 1 to ${MOST_LAYERS} layers`);
    const attributes = inert ? INERT : 0;
    const [only] = overlay.lowers;
    if (length === 1 && only !== undefined && overlay.writable === undefined) return openAlone(only, attributes);
    return open(overlay, attributes, method ?? preferred());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OciError('OVERLAY_FAILED', `Cannot mount an overlay of ${length} layers: ${reason}`, { cause: error });
  }
}

const INERT = MOUNT_ATTR_FLAGS.MOUNT_ATTR_NODEV | MOUNT_ATTR_FLAGS.MOUNT_ATTR_NOSUID;

function open(overlay: Overlay, attributes: number, method: OverlayMethod): Fd {
  if (method === 'append') return configure(overlayOptions(overlay), attributes);
  using directories = openDirectories(overlay.lowers);
  const short: Overlay = { ...overlay, lowers: directories.paths };
  const joined = method === 'joined' ? joinedOverlayOptions(short) : undefined;
  return joined === undefined ? mountAndTake(short, attributes) : configure(joined, attributes);
}

/** A single layer to read from is no overlay to the kernel, but a directory can be mounted without one. */
function openAlone(directory: string, attributes: number): Fd {
  const tree = openTree(AT_FDCWD, directory, OPEN_TREE_FLAGS.OPEN_TREE_CLONE);
  try {
    mountSetattr(tree, { set: attributes | MOUNT_ATTR_FLAGS.MOUNT_ATTR_RDONLY });
    return tree;
  } catch (error) {
    tree[Symbol.dispose]();
    throw error;
  }
}

/** Whether the kernel knows `lowerdir+`: it is asked, since versions lie (distributions carry patches back). */
function preferred(): OverlayMethod {
  using context = fsopen('overlay');
  try {
    fsconfigSet(context, 'lowerdir+', '/');
    return 'append';
  } catch (error) {
    if (isErrno(error, 'EINVAL')) return 'joined';
    throw error;
  }
}

function configure(options: readonly OverlayOption[], attributes: number): Fd {
  using context = fsopen('overlay');
  fsconfigSet(context, 'source', 'berth');
  for (const { key, value } of options) fsconfigSet(context, key, value);
  fsconfigCreate(context);
  return fsmount(context, attributes);
}

/** Attached for a moment, because mount(2) knows no other way, then copied to a detached mount. */
function mountAndTake(overlay: Overlay, attributes: number): Fd {
  const data = overlayMountData(overlay);
  if (data === undefined) throw new RangeError('this kernel takes a page of options, and the layers need more');
  const target = mkdtempSync(join(tmpdir(), 'berth-overlay-'));
  const flags = attributes === 0 ? 0 : MS_FLAGS.MS_NODEV | MS_FLAGS.MS_NOSUID;
  try {
    mount({ source: 'berth', target, type: 'overlay', flags, data });
    try {
      return openTree(AT_FDCWD, target, OPEN_TREE_FLAGS.OPEN_TREE_CLONE);
    } finally {
      umount2(target, MNT_DETACH);
    }
  } finally {
    rmdirSync(target);
  }
}

type Directories = Disposable & { readonly paths: readonly string[] };

/** Directories under the short names that /proc has for open files: option strings are limited, paths are not. */
function openDirectories(directories: readonly string[]): Directories {
  const stack = new DisposableStack();
  const paths = directories.map((path) => {
    const { number } = stack.use(openat(AT_FDCWD, path, O_PATH | O_DIRECTORY));
    return `/proc/self/fd/${number}`;
  });
  return { paths, [Symbol.dispose]: () => stack.dispose() };
}
