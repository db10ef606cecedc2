// <sys/mount.h>, <linux/mount.h>, <fcntl.h>: numbers of mount(2), move_mount(2), open_tree(2), mount_setattr(2).

export const MS_FLAGS = {
  MS_RDONLY: 0x1,
  MS_NOSUID: 0x2,
  MS_NODEV: 0x4,
  MS_NOEXEC: 0x8,
  MS_SYNCHRONOUS: 0x10,
  MS_REMOUNT: 0x20,
  MS_MANDLOCK: 0x40,
  MS_DIRSYNC: 0x80,
  MS_NOSYMFOLLOW: 0x100,
  MS_NOATIME: 0x400,
  MS_NODIRATIME: 0x800,
  MS_BIND: 0x1000,
  MS_MOVE: 0x2000,
  MS_REC: 0x4000,
  MS_SILENT: 0x8000,
  MS_UNBINDABLE: 0x20000,
  MS_PRIVATE: 0x40000,
  MS_SLAVE: 0x80000,
  MS_SHARED: 0x100000,
  MS_RELATIME: 0x200000,
  MS_I_VERSION: 0x800000,
  MS_STRICTATIME: 0x1000000,
  MS_LAZYTIME: 0x2000000,
} as const;

export const MNT_DETACH = 0x2;

export const AT_FDCWD = -100;
export const AT_EMPTY_PATH = 0x1000;
export const AT_RECURSIVE = 0x8000;

export const OPEN_TREE_FLAGS = { OPEN_TREE_CLONE: 0x1, OPEN_TREE_CLOEXEC: 0o2000000, AT_RECURSIVE } as const;
export const MOVE_MOUNT_FLAGS = { MOVE_MOUNT_F_EMPTY_PATH: 0x4, MOVE_MOUNT_T_SYMLINKS: 0x10 } as const;

export const MOUNT_ATTR_FLAGS = {
  MOUNT_ATTR_RDONLY: 0x1,
  MOUNT_ATTR_NOSUID: 0x2,
  MOUNT_ATTR_NODEV: 0x4,
  MOUNT_ATTR_NOEXEC: 0x8,
  MOUNT_ATTR_NOATIME: 0x10,
  MOUNT_ATTR_STRICTATIME: 0x20,
  MOUNT_ATTR_NODIRATIME: 0x80,
  MOUNT_ATTR_NOSYMFOLLOW: 0x200000,
} as const;
/** All bits of the access-time mode, which are set together. */
export const MOUNT_ATTR__ATIME = 0x70;
