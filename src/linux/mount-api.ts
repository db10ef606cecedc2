// The mount API of file descriptors: fsopen(2), fsconfig(2), fsmount(2), mount_setattr(2). Linux 5.2 (mount_setattr: 5.12).
// Through syscall(2): glibc has wrappers since 2.36 only. The numbers are those of mount-flags.ts.
import { readSync } from 'node:fs';

import { type CString, formatCString } from './at.ts';
import { check, isErrno, SyscallError } from './errno.ts';
import { Fd } from './fd.ts';
import { formatFlags } from './flags.ts';
import { libc } from './libc.ts';
import { AT_EMPTY_PATH, MOUNT_ATTR_FLAGS } from './mount-flags.ts';
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

export type MountAttributes = { readonly set?: number; readonly clear?: number; readonly propagation?: number };

/** Change the attributes (MOUNT_ATTR_*) of an open mount. */
export function mountSetattr(mount: Fd, { set = 0, clear = 0, propagation = 0 }: MountAttributes): void {
  const attr = BigUint64Array.of(BigInt(set), BigInt(clear), BigInt(propagation), 0n);
  const result = c_mount_setattr(SYS_mount_setattr, mount.number, '', AT_EMPTY_PATH, attr, MOUNT_ATTR_BYTES);
  check(result, 'mount_setattr', () => `${mount.number}, set ${formatFlags(set, MOUNT_ATTR_FLAGS)}`);
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
