// `tmpcopyup`: a tmpfs that begins with a copy of the directory it will cover. It is made and filled while it is mounted
// nowhere, then given to the tape. The files are those of the container's root on disk: nobody runs there yet.
import { fstatSync } from 'node:fs';

import { O_DIRECTORY, O_RDONLY, openat } from '../../linux/at.ts';
import { copyTree } from '../../linux/copy-tree.ts';
import { isErrno } from '../../linux/errno.ts';
import type { Fd } from '../../linux/fd.ts';
import { fsconfigCreate, fsconfigSet, fsmount, fsopen, mountSetattr } from '../../linux/mount-api.ts';
import { AT_FDCWD, MS_FLAGS } from '../../linux/mount-flags.ts';
import { openat2, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '../../linux/openat2.ts';
import { OciError } from '../error.ts';
import type { Mount } from './config.ts';
import { parseMountOptions, type MountFlags } from './mount-options.ts';
import type { Rootfs } from './rootfs-operations.ts';

const { MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME } = MS_FLAGS;
/** Flags of the file system, which fsconfig(2) takes by name; those of the mount go to mount_setattr(2). */
const FLAGS: readonly (readonly [flag: number, key: string])[] = [
  [MS_SYNCHRONOUS, 'sync'],
  [MS_DIRSYNC, 'dirsync'],
  [MS_LAZYTIME, 'lazytime'],
];

/** The file system of a tmpfs mount with `tmpcopyup`, attached nowhere. Throws OciError CONFIG_INVALID, SyscallError. */
export function fillTmpfs(mount: Mount, rootfs: Rootfs): Fd {
  if (rootfs.kind !== 'directory') {
    throw new OciError(
      'CONFIG_INVALID',
      `Cannot mount ${mount.destination}: 'tmpcopyup' needs a root that is a directory`,
    );
  }
  const options = parseMountOptions(mount.options ?? []);
  using covered = openCovered(rootfs.path, mount.destination);
  const made = makeTmpfs(mount, options, covered);
  try {
    if (covered !== undefined) copyTree(covered.number, made.number);
    mountSetattr(made, options.attributes);
    return made;
  } catch (error) {
    made[Symbol.dispose]();
    throw error;
  }
}

/** Links end inside the root. Undefined when there is no such directory: the tmpfs is empty. */
function openCovered(root: string, destination: string): Fd | undefined {
  using directory = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY);
  try {
    const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    return openat2(directory.number, destination, { flags: O_RDONLY | O_DIRECTORY, resolve });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function makeTmpfs({ source = 'tmpfs' }: Mount, options: MountFlags, covered: Fd | undefined): Fd {
  using context = fsopen('tmpfs');
  fsconfigSet(context, 'source', source);
  for (const [flag, key] of FLAGS) if ((options.flags & flag) !== 0) fsconfigSet(context, key);
  for (const [key, value] of parameters(options.data, covered)) fsconfigSet(context, key, value);
  fsconfigCreate(context);
  return fsmount(context);
}

/** `size=1m,mode=755` as keys and values. Without a mode it has that of what it covers. */
function parameters(data: string, covered: Fd | undefined): (readonly [string, string | undefined])[] {
  const given = data
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals === -1 ? ([part, undefined] as const) : ([part.slice(0, equals), part.slice(equals + 1)] as const);
    });
  if (covered === undefined) return given;
  const { mode, uid, gid } = fstatSync(covered.number);
  const same = [
    ['mode', (mode & 0o7777).toString(8)],
    ['uid', String(uid)],
    ['gid', String(gid)],
  ] as const;
  return [...same.filter(([key]) => !given.some(([name]) => name === key)), ...given];
}
