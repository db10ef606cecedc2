// The mount API of file descriptors: fsopen(2), fsconfig(2), fsmount(2), open_tree(2), move_mount(2), mount_setattr(2),
// and mount(2), umount2(2) for what they replace. Linux 5.2 (mount_setattr: 5.12). Through syscall(2): glibc has wrappers
// since 2.36 only. The numbers are those of mount-flags.ts.
import { readSync } from 'node:fs';

import { type CString, formatCString } from './at.ts';
import { check, isErrno, SyscallError } from './errno.ts';
import { Fd } from './fd.ts';
import { formatFlags } from './flags.ts';
import { libc } from './libc.ts';
import { AT_EMPTY_PATH, MOUNT_ATTR_FLAGS, MOVE_MOUNT_FLAGS, MS_FLAGS, OPEN_TREE_FLAGS } from './mount-flags.ts';
import { nativeAbi, syscallNumber } from './syscall-numbers.ts';

const FSOPEN_CLOEXEC = 0x1;
const FSMOUNT_CLOEXEC = 0x1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOUNT_ATTR_BYTES = 32;

const SYS_fsopen = syscallNumber(nativeAbi(), 'fsopen');
const SYS_fsconfig = syscallNumber(nativeAbi(), 'fsconfig');
const SYS_fsmount = syscallNumber(nativeAbi(), 'fsmount');
const SYS_open_tree = syscallNumber(nativeAbi(), 'open_tree');
const SYS_move_mount = syscallNumber(nativeAbi(), 'move_mount');
const SYS_mount_setattr = syscallNumber(nativeAbi(), 'mount_setattr');

type CFsopen = (number: number, fsname: string, flags: number) => number;
const c_fsopen: CFsopen = libc.func('syscall', 'long', ['long', 'const char *', 'unsigned int']);
type CFsconfig = (
  number: number,
  fd: number,
  command: number,
  key: string | null,
  value: CString | null,
  aux: number,
) => number;
const c_fsconfig: CFsconfig = libc.func('syscall', 'long', [
  'long',
  'long',
  'unsigned int',
  'const char *',
  'const char *',
  'long',
]);
type CFsmount = (number: number, fd: number, flags: number, attributes: number) => number;
const c_fsmount: CFsmount = libc.func('syscall', 'long', ['long', 'long', 'unsigned int', 'unsigned int']);
type COpenTree = (number: number, dirfd: number, path: CString, flags: number) => number;
const c_open_tree: COpenTree = libc.func('syscall', 'long', ['long', 'long', 'const char *', 'unsigned int']);
type CMoveMount = (
  number: number,
  from: number,
  fromPath: CString,
  to: number,
  toPath: CString,
  flags: number,
) => number;
const c_move_mount: CMoveMount = libc.func('syscall', 'long', [
  'long',
  'long',
  'const char *',
  'long',
  'const char *',
  'unsigned int',
]);
type CMountSetattr = (
  number: number,
  dirfd: number,
  path: CString,
  flags: number,
  attr: BigUint64Array,
  size: number,
) => number;
const c_mount_setattr: CMountSetattr = libc.func('syscall', 'long', [
  'long',
  'long',
  'const char *',
  'unsigned int',
  'const uint64_t *',
  'size_t',
]);
type CMount = (source: CString, target: CString, type: string, flags: number, data: CString) => number;
const c_mount: CMount = libc.func(
  'int mount(const char *source, const char *target, const char *filesystemtype, unsigned long mountflags, const char *data)',
);
type CUmount2 = (target: CString, flags: number) => number;
const c_umount2: CUmount2 = libc.func('int umount2(const char *target, int flags)');

/** A context in which a file system of this type can be configured. */
export function fsopen(fsname: string): Fd {
  return new Fd(check(c_fsopen(SYS_fsopen, fsname, FSOPEN_CLOEXEC), 'fsopen', () => fsname));
}

/** Set a parameter; without a value it is a flag. A value is of at most 255 bytes. What the kernel says comes along. */
export function fsconfigSet(context: Fd, key: string, value?: CString): void {
  const command = value === undefined ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
  const result = c_fsconfig(SYS_fsconfig, context.number, command, key, value ?? null, 0);
  explained(result, 'fsconfig', context, () => (value === undefined ? key : `${key}=${formatCString(value)}`));
}

/** Make the file system that was configured. */
export function fsconfigCreate(context: Fd): void {
  const result = c_fsconfig(SYS_fsconfig, context.number, FSCONFIG_CMD_CREATE, null, null, 0);
  explained(result, 'fsconfig', context, () => 'FSCONFIG_CMD_CREATE');
}

/** A mount of the file system that was made, attached nowhere. `attributes`: MOUNT_ATTR_*. */
export function fsmount(context: Fd, attributes = 0): Fd {
  const fd = c_fsmount(SYS_fsmount, context.number, FSMOUNT_CLOEXEC, attributes);
  return new Fd(explained(fd, 'fsmount', context, () => formatFlags(attributes, MOUNT_ATTR_FLAGS)));
}

/** Open a mount; with OPEN_TREE_CLONE a copy of it, attached nowhere. OPEN_TREE_CLOEXEC is added. */
export function openTree(dirfd: number, path: CString, flags: number): Fd {
  const all = flags | OPEN_TREE_FLAGS.OPEN_TREE_CLOEXEC;
  const fd = c_open_tree(SYS_open_tree, dirfd, path, all);
  return new Fd(check(fd, 'open_tree', () => `${formatCString(path)}, ${formatFlags(all, OPEN_TREE_FLAGS)}`));
}

/** Attach a detached mount at `path`, relative to `dirfd`. */
export function moveMount(mount: Fd, dirfd: number, path: CString): void {
  const flags = MOVE_MOUNT_FLAGS.MOVE_MOUNT_F_EMPTY_PATH;
  const result = c_move_mount(SYS_move_mount, mount.number, '', dirfd, path, flags);
  check(result, 'move_mount', () => `${mount.number} to ${formatCString(path)}`);
}

export type MountAttributes = { readonly set?: number; readonly clear?: number; readonly propagation?: number };

/** Change the attributes (MOUNT_ATTR_*) of an open mount. */
export function mountSetattr(mount: Fd, { set = 0, clear = 0, propagation = 0 }: MountAttributes): void {
  const attr = BigUint64Array.of(BigInt(set), BigInt(clear), BigInt(propagation), 0n);
  const result = c_mount_setattr(SYS_mount_setattr, mount.number, '', AT_EMPTY_PATH, attr, MOUNT_ATTR_BYTES);
  check(result, 'mount_setattr', () => `${mount.number}, set ${formatFlags(set, MOUNT_ATTR_FLAGS)}`);
}

export type Mount = {
  readonly source: CString;
  readonly target: CString;
  readonly type: string;
  readonly flags?: number;
  /** At most a page. */
  readonly data: CString;
};

/** mount(2). */
export function mount({ source, target, type, flags = 0, data }: Mount): void {
  const result = c_mount(source, target, type, flags, data);
  check(result, 'mount', () => {
    return `${formatCString(source)} on ${formatCString(target)}, type ${type}, ${formatFlags(flags, MS_FLAGS)}`;
  });
}

/** umount2(2). Throws SyscallError. */
export function umount2(target: CString, flags: number): void {
  check(c_umount2(target, flags), 'umount2', () => formatCString(target));
}

/** `check`, with what the file system wrote to the log of its context as a hint: errno alone says little of a mount. */
function explained(result: number, syscall: string, context: Fd, detail: () => string): number {
  try {
    return check(result, syscall, detail);
  } catch (error) {
    const log = readLog(context);
    if (log === '' || !(error instanceof SyscallError)) throw error;
    throw new SyscallError(syscall, -error.errno, detail(), log);
  }
}

/** Messages are read one at a time; each begins with its level: `e `, `w ` or `i `. */
function readLog(context: Fd): string {
  const message = Buffer.alloc(1024);
  const messages: string[] = [];
  try {
    for (;;) {
      const length = readSync(context.number, message);
      if (length === 0) break;
      messages.push(message.toString('utf8', 2, length).trim());
    }
  } catch (error) {
    if (!isErrno(error, 'ENODATA', 'EMSGSIZE')) throw error;
  }
  return messages.join('; ');
}
