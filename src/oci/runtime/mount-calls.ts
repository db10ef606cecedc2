// mount(2), move_mount(2) and mount_setattr(2) as operations of a tape, with what they do in words.
import { AT_EMPTY_PATH, AT_RECURSIVE, MOUNT_ATTR_FLAGS, MOVE_MOUNT_FLAGS, MS_FLAGS } from '../../linux/mount-flags.ts';
import { formatFlags } from '../../linux/flags.ts';
import {
  bits,
  bytes,
  text,
  value,
  words,
  type Argument,
  type Flags,
  type Operation,
} from '../../linux/tape/operation.ts';
import { isChange, type AttributeChange } from './mount-options.ts';
import { atCwd } from './path-operations.ts';

const SIZEOF_MOUNT_ATTR = 32;
const AT_FLAGS = { AT_EMPTY_PATH, AT_RECURSIVE };
const { MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_SYMLINKS } = MOVE_MOUNT_FLAGS;
const { MOUNT_ATTR_IDMAP } = MOUNT_ATTR_FLAGS;

export const msFlags = (flags: number): Flags => bits(flags, MS_FLAGS);

/** Attach a detached mount at a path of the container. */
export function moveMount(tree: Argument, destination: string, what: string): Operation {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS;
  return {
    call: 'move_mount',
    args: [tree, text(''), atCwd, text(destination), bits(flags, MOVE_MOUNT_FLAGS)],
    what,
  };
}

/** Change the attributes of the mount at `path`; `recursive`: of all mounts below it too. No operation where none changes. */
export function setAttributes(path: string, change: AttributeChange, recursive = false): Operation[] {
  return isChange(change) ? [changeAttributes(path, change, recursive)] : [];
}

/** mount_setattr(2) on the mount at `path`. */
export function changeAttributes(path: string, change: AttributeChange, recursive = false): Operation {
  const flags = recursive ? value(AT_RECURSIVE, 'AT_RECURSIVE') : 0;
  return {
    call: 'mount_setattr',
    args: [atCwd, text(path), flags, mountAttr(change), SIZEOF_MOUNT_ATTR],
    what: `${describeChange(change)} on ${path}`,
  };
}

/** As `setAttributes`, of the detached mount that `tree` is a descriptor of. */
export function setTreeAttributes(tree: Argument, change: AttributeChange, recursive: boolean): Operation[] {
  if (!isChange(change)) return [];
  const flags = bits(AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), AT_FLAGS);
  return [
    {
      call: 'mount_setattr',
      args: [tree, text(''), flags, mountAttr(change), SIZEOF_MOUNT_ATTR],
      what: describeChange(change),
    },
  ];
}

/** Show the files of a detached mount with other owners: those of a user namespace (user_namespaces(7)). */
export function idmapTree(
  tree: Argument,
  { userNamespace, recursive, what }: { userNamespace: Argument; recursive: boolean; what: string },
): Operation {
  const flags = bits(AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), AT_FLAGS);
  const attr = words([MOUNT_ATTR_IDMAP, 0, 0, userNamespace], '{set MOUNT_ATTR_IDMAP, userns}');
  return { call: 'mount_setattr', args: [tree, text(''), flags, attr, SIZEOF_MOUNT_ATTR], what };
}

/** mount(2) of MS_SHARED and friends, one call each, in their order. */
export function propagationOperations(destination: string, propagation: readonly number[]): Operation[] {
  return propagation.map((flags) => ({
    call: 'mount',
    args: [0, text(destination), 0, msFlags(flags), 0],
    what: `make ${destination} ${formatFlags(flags, MS_FLAGS)}`,
  }));
}

/** struct mount_attr. */
function mountAttr({ set, clear }: AttributeChange): Argument {
  const attr = Buffer.alloc(SIZEOF_MOUNT_ATTR);
  attr.writeBigUInt64LE(BigInt(set), 0);
  attr.writeBigUInt64LE(BigInt(clear), 8);
  return bytes(attr, `{set ${formatFlags(set, MOUNT_ATTR_FLAGS)}, clear ${formatFlags(clear, MOUNT_ATTR_FLAGS)}}`);
}

function describeChange({ set, clear }: AttributeChange): string {
  const [change, word] = set === 0 ? [clear, 'clear'] : [set, 'set'];
  return `${word} ${formatFlags(change, MOUNT_ATTR_FLAGS)}`;
}
