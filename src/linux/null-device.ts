// /dev/null to give away. Whoever holds the machine's own node open can change its mode and owner, for everybody, when it is
// root (in a container without a user namespace, too). Through a mount that is read-only it can still be read and written.
import { constants, fstatSync, openSync } from 'node:fs';

import { check, isErrno } from './errno.ts';
import { Fd } from './fd.ts';
import { libc } from './libc.ts';
import { devMajor, devMinor } from './mknod.ts';
import { AT_EMPTY_PATH, AT_FDCWD, MOUNT_ATTR_FLAGS, OPEN_TREE_FLAGS } from './mount-flags.ts';
import { nativeAbi, syscallNumber } from './syscall-numbers.ts';

const NULL = '/dev/null';
const [NULL_MAJOR, NULL_MINOR] = [1, 3];
const SIZEOF_MOUNT_ATTR = 32;

type COpenTree = (number: number, dirfd: number, pathname: string, flags: number) => number;
const c_open_tree: COpenTree = libc.func('syscall', 'long', ['long', 'long', 'const char *', 'long']);
type CMountSetattr = (
  number: number,
  dirfd: number,
  pathname: string,
  flags: number,
  attr: Buffer,
  size: number,
) => number;
const c_mount_setattr: CMountSetattr = libc.func('syscall', 'long', [
  'long',
  'long',
  'const char *',
  'long',
  'const uint8_t *',
  'size_t',
]);

/** Open /dev/null for reading and writing through a read-only mount of its own, that nobody sees. Throws SyscallError. */
export function openNullDevice(): Fd {
  const { OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC } = OPEN_TREE_FLAGS;
  const abi = nativeAbi();
  const tree = c_open_tree(syscallNumber(abi, 'open_tree'), AT_FDCWD, NULL, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  using mount = new Fd(check(tree, 'open_tree', () => NULL));
  const attributes = Buffer.alloc(SIZEOF_MOUNT_ATTR);
  attributes.writeUInt32LE(MOUNT_ATTR_FLAGS.MOUNT_ATTR_RDONLY);
  const number = syscallNumber(abi, 'mount_setattr');
  const set = c_mount_setattr(number, mount.number, '', AT_EMPTY_PATH, attributes, SIZEOF_MOUNT_ATTR);
  check(set, 'mount_setattr', () => `${NULL}, MOUNT_ATTR_RDONLY`);
  return new Fd(openSync(`/proc/self/fd/${mount.number}`, constants.O_RDWR));
}

/** Whether a descriptor is the null device. False when it is none. */
export function isNullDevice(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isCharacterDevice() && devMajor(stat.rdev) === NULL_MAJOR && devMinor(stat.rdev) === NULL_MINOR;
  } catch (error) {
    if (isErrno(error, 'EBADF')) return false;
    throw error;
  }
}
