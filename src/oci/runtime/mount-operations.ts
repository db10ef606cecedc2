// The mounts of config.json as tape operations: sources are cloned while the host is still in view, targets are reached
// after pivot_root, where every path ends inside the container.
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MOUNT_ATTR_FLAGS,
  MOVE_MOUNT_FLAGS,
  MS_FLAGS,
  OPEN_TREE_FLAGS,
} from '../../linux/mount-flags.ts';
import { formatFlags } from '../../linux/flags.ts';
import {
  bits,
  bytes,
  result,
  text,
  value,
  words,
  type Bytes,
  type Operation,
  type Result,
  type Flags,
} from '../../linux/tape/operation.ts';
import { O_CLOEXEC, O_PATH } from '../../linux/at.ts';
import { RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS } from '../../linux/openat2.ts';
import { OciError } from '../error.ts';
import type { Mount } from './config.ts';
import { cgroupMountOperations, type CgroupMount } from './cgroup-mount-operations.ts';
import { parseMountOptions, type MountFlags } from './mount-options.ts';
import { atCwd, makeDirectories, makeFile, makePlainDirectory } from './path-operations.ts';

export type PathKind = 'file' | 'directory';

/** What the operations need to know of the machine. Gathered once, passed in, so that the tape stays pure. */
export type MountFacts = {
  /** What a bind source (or a masked path) is; undefined when there is no such path. */
  readonly kindOf: (path: string) => PathKind | undefined;
  /** The permissions of a directory of the container's files; undefined when there is none. */
  readonly modeOf: (path: string) => number | undefined;
  /** The cgroup hierarchies to show inside. */
  readonly cgroupMounts: readonly CgroupMount[];
};

export type MountOperations = { readonly beforePivot: readonly Operation[]; readonly afterPivot: readonly Operation[] };

const { MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_SYMLINKS } = MOVE_MOUNT_FLAGS;
const { OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC } = OPEN_TREE_FLAGS;
const SIZEOF_MOUNT_ATTR = 32;

export const msFlags = (flags: number): Flags => bits(flags, MS_FLAGS);

/** Operations for one mount; `index` makes its result's name unique. Throws OciError CONFIG_INVALID on a missing source. */
export function mountOperations(mount: Mount, index: number, facts: MountFacts): MountOperations {
  const options = parseMountOptions(mount.options ?? []);
  if (mount.type === 'bind' || options.bind !== 'no') return bindOperations(mount, options, { index, facts });
  if (mount.type === 'cgroup') {
    const target = makeDirectories(mount.destination);
    return {
      beforePivot: [],
      afterPivot: [...target, ...cgroupMountOperations(mount.destination, options.flags, facts.cgroupMounts)],
    };
  }
  return { beforePivot: [], afterPivot: fileSystemOperations(mount, withMode(mount, options, facts)) };
}

/** A tmpfs that does not say its mode has that of the directory it covers: else all could write where that is private. */
function withMode({ type, destination }: Mount, options: MountFlags, { modeOf }: MountFacts): MountFlags {
  if (type !== 'tmpfs' || /(^|,)mode=/.test(options.data)) return options;
  const mode = modeOf(destination);
  if (mode === undefined) return options;
  const data = [...(options.data === '' ? [] : [options.data]), `mode=${mode.toString(8)}`].join(',');
  return { ...options, data };
}

function fileSystemOperations(mount: Mount, options: MountFlags): Operation[] {
  const { destination, type = 'none', source = type } = mount;
  const plain = type === 'proc' || type === 'sysfs';
  const data = options.data === '' ? 0 : text(options.data);
  return [
    ...(plain ? makePlainDirectory(destination) : makeDirectories(destination)),
    {
      call: 'mount',
      args: [text(source), text(destination), text(type), msFlags(options.flags), data],
      what: `mount ${type} on ${destination}`,
    },
    ...propagationOperations(destination, options.propagation),
  ];
}

type BindContext = { readonly index: number; readonly facts: MountFacts };

function bindOperations(mount: Mount, options: MountFlags, { index, facts }: BindContext): MountOperations {
  const { destination, source, subPath } = mount;
  const from = subPath === undefined ? source : `${source}/${subPath}`;
  const kind = from === undefined ? undefined : facts.kindOf(from);
  if (source === undefined || kind === undefined) {
    throw new OciError(
      'CONFIG_INVALID',
      `Cannot mount '${from ?? ''}' on ${destination}: no such file or directory on the host`,
    );
  }
  const tree = result(`mount ${index}`);
  const take =
    subPath === undefined ? [takeTree(source, options, tree)] : takeSubPath({ source, subPath, options, index, tree });
  return {
    beforePivot: take,
    afterPivot: [
      ...(kind === 'directory' ? makeDirectories(destination) : makeFile(destination)),
      moveMount(tree, destination, `mount ${from} on ${destination}`),
      ...attributeOperations(destination, options),
    ],
  };
}

function treeFlags(options: MountFlags): number {
  return OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (options.bind === 'bind' ? 0 : AT_RECURSIVE);
}

function takeTree(source: string, options: MountFlags, tree: Result): Operation {
  return {
    call: 'open_tree',
    args: [atCwd, text(source), bits(treeFlags(options), OPEN_TREE_FLAGS)],
    save: tree,
    what: `take ${source}`,
  };
}

type SubPath = {
  readonly source: string;
  readonly subPath: string;
  readonly options: MountFlags;
  readonly index: number;
  readonly tree: Result;
};

/** A path below a volume that another container may be changing: the kernel walks it and follows no link (CVE-2021-30465). */
function takeSubPath({ source, subPath, options, index, tree }: SubPath): Operation[] {
  const volume = result(`volume ${index}`);
  const below = result(`sub path ${index}`);
  const how = words(
    [O_PATH | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS],
    '{O_PATH|O_CLOEXEC, RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS}',
  );
  const flags = treeFlags(options) | AT_EMPTY_PATH;
  return [
    {
      call: 'openat',
      args: [atCwd, text(source), value(O_PATH | O_CLOEXEC, 'O_PATH|O_CLOEXEC'), 0],
      save: volume,
      what: `open ${source}`,
    },
    { call: 'openat2', args: [volume, text(subPath), how, 24], save: below, what: `find '${subPath}' below ${source}` },
    {
      call: 'open_tree',
      args: [below, text(''), bits(flags, { ...OPEN_TREE_FLAGS, AT_EMPTY_PATH })],
      save: tree,
      what: `take '${subPath}' of ${source}`,
    },
  ];
}

/** Attach a detached mount at a path of the container. */
export function moveMount(tree: Operation['args'][number], destination: string, what: string): Operation {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS;
  return {
    call: 'move_mount',
    args: [tree, text(''), atCwd, text(destination), bits(flags, MOVE_MOUNT_FLAGS)],
    what,
  };
}

function attributeOperations(destination: string, options: MountFlags): Operation[] {
  const { attrSet, attrClear, attrRecursive, propagation } = options;
  if (attrSet === 0 && attrClear === 0 && propagation === 0) return [];
  const attributes =
    attrSet === 0 && attrClear === 0 ? [] : [setAttributes(destination, { attrSet, attrClear, attrRecursive })];
  return [...attributes, ...propagationOperations(destination, propagation)];
}

/** mount_setattr(2) on an existing mount. */
export function setAttributes(
  path: string,
  { attrSet, attrClear = 0, attrRecursive = false }: { attrSet: number; attrClear?: number; attrRecursive?: boolean },
): Operation {
  const flags = attrRecursive ? value(AT_RECURSIVE, 'AT_RECURSIVE') : 0;
  const shown = formatFlags(attrSet, MOUNT_ATTR_FLAGS);
  return {
    call: 'mount_setattr',
    args: [atCwd, text(path), flags, mountAttr(attrSet, attrClear), SIZEOF_MOUNT_ATTR],
    what: `set ${shown} on ${path}`,
  };
}

/** struct mount_attr. */
function mountAttr(set: number, clear: number): Bytes {
  const attr = Buffer.alloc(SIZEOF_MOUNT_ATTR);
  attr.writeBigUInt64LE(BigInt(set), 0);
  attr.writeBigUInt64LE(BigInt(clear), 8);
  return bytes(attr, `{set ${formatFlags(set, MOUNT_ATTR_FLAGS)}, clear ${formatFlags(clear, MOUNT_ATTR_FLAGS)}}`);
}

function propagationOperations(destination: string, propagation: number): Operation[] {
  if (propagation === 0) return [];
  return [
    {
      call: 'mount',
      args: [0, text(destination), 0, msFlags(propagation), 0],
      what: `make ${destination} ${formatFlags(propagation, MS_FLAGS)}`,
    },
  ];
}
