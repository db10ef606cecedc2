// The mount options that every file system takes (config.md "Linux mount options", mount(8)), as the kernel's flags. One
// table: what each word sets and clears for mount(2), and for mount_setattr(2) where the word exists there.
import { MOUNT_ATTR_FLAGS, MOUNT_ATTR__ATIME, MS_FLAGS } from '../../linux/mount-flags.ts';

/** What one option does. `attrSet` and `attrClear` are MOUNT_ATTR_*, the others MS_*. */
export type OptionEffect = {
  readonly set?: number;
  readonly clear?: number;
  readonly attrSet?: number;
  readonly attrClear?: number;
};

const on = (ms: number, attr: number): OptionEffect => ({ set: ms, attrSet: attr });
const off = (ms: number, attr: number): OptionEffect => ({ clear: ms, attrClear: attr });
const { MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, MS_NODIRATIME, MS_RELATIME, MS_STRICTATIME } = MS_FLAGS;
const { MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC } = MOUNT_ATTR_FLAGS;
const { MOUNT_ATTR_NOATIME, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOSYMFOLLOW } = MOUNT_ATTR_FLAGS;

// The three modes of access times are one field: whoever sets one clears the others. No bit of it means relatime.
const ATIME_MODES = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;
const atime = (ms: number, attr: number): OptionEffect => ({
  set: ms,
  clear: ATIME_MODES & ~ms,
  attrSet: attr,
  attrClear: MOUNT_ATTR__ATIME,
});

export const MOUNT_OPTIONS: Readonly<Record<string, OptionEffect>> = {
  defaults: {},
  ro: on(MS_RDONLY, MOUNT_ATTR_RDONLY),
  rw: off(MS_RDONLY, MOUNT_ATTR_RDONLY),
  nosuid: on(MS_NOSUID, MOUNT_ATTR_NOSUID),
  suid: off(MS_NOSUID, MOUNT_ATTR_NOSUID),
  nodev: on(MS_NODEV, MOUNT_ATTR_NODEV),
  dev: off(MS_NODEV, MOUNT_ATTR_NODEV),
  noexec: on(MS_NOEXEC, MOUNT_ATTR_NOEXEC),
  exec: off(MS_NOEXEC, MOUNT_ATTR_NOEXEC),
  noatime: atime(MS_NOATIME, MOUNT_ATTR_NOATIME),
  atime: { clear: MS_NOATIME, attrClear: MOUNT_ATTR__ATIME },
  relatime: atime(MS_RELATIME, 0),
  norelatime: { clear: MS_RELATIME, attrClear: MOUNT_ATTR__ATIME },
  strictatime: atime(MS_STRICTATIME, MOUNT_ATTR_STRICTATIME),
  nostrictatime: { clear: MS_STRICTATIME, attrClear: MOUNT_ATTR__ATIME },
  nodiratime: on(MS_NODIRATIME, MOUNT_ATTR_NODIRATIME),
  diratime: off(MS_NODIRATIME, MOUNT_ATTR_NODIRATIME),
  nosymfollow: on(MS_FLAGS.MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW),
  symfollow: off(MS_FLAGS.MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW),
  sync: { set: MS_FLAGS.MS_SYNCHRONOUS },
  async: { clear: MS_FLAGS.MS_SYNCHRONOUS },
  dirsync: { set: MS_FLAGS.MS_DIRSYNC },
  remount: { set: MS_FLAGS.MS_REMOUNT },
  mand: { set: MS_FLAGS.MS_MANDLOCK },
  nomand: { clear: MS_FLAGS.MS_MANDLOCK },
  acl: { set: MS_FLAGS.MS_POSIXACL },
  noacl: { clear: MS_FLAGS.MS_POSIXACL },
  iversion: { set: MS_FLAGS.MS_I_VERSION },
  noiversion: { clear: MS_FLAGS.MS_I_VERSION },
  lazytime: { set: MS_FLAGS.MS_LAZYTIME },
  nolazytime: { clear: MS_FLAGS.MS_LAZYTIME },
  silent: { set: MS_FLAGS.MS_SILENT },
  loud: { clear: MS_FLAGS.MS_SILENT },
};

const PROPAGATION: Readonly<Record<string, number>> = {
  shared: MS_FLAGS.MS_SHARED,
  slave: MS_FLAGS.MS_SLAVE,
  private: MS_FLAGS.MS_PRIVATE,
  unbindable: MS_FLAGS.MS_UNBINDABLE,
};

/** The kernel's flags of one propagation word (`rslave`), or undefined when it is none. */
export function propagationFlags(option: string): number | undefined {
  const plain = ownEntry(PROPAGATION, option);
  if (plain !== undefined) return plain;
  const recursive = option.startsWith('r') ? ownEntry(PROPAGATION, option.slice(1)) : undefined;
  return recursive === undefined ? undefined : recursive | MS_FLAGS.MS_REC;
}

/** The effect of an option, or undefined when it is not in the table. */
export function optionEffect(option: string): OptionEffect | undefined {
  return ownEntry(MOUNT_OPTIONS, option);
}

/** The effect of `rro`, `rnosuid`, …: of the option behind the `r`, where mount_setattr(2) has it. */
export function recursiveEffect(option: string): OptionEffect | undefined {
  const effect = option.startsWith('r') ? ownEntry(MOUNT_OPTIONS, option.slice(1)) : undefined;
  return effect?.attrSet === undefined && effect?.attrClear === undefined ? undefined : effect;
}

/** Options are what users write: `constructor` is none. */
function ownEntry<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
