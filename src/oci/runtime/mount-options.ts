// Mount options of config.json (config.md "Mounts", mount(8)) as the kernel's flags. One table, no policy.
import { MOUNT_ATTR_FLAGS, MOUNT_ATTR__ATIME, MS_FLAGS } from '../../linux/mount-flags.ts';

/** What a list of options means to the kernel. */
export type MountFlags = {
  /** MS_* for mount(2), without MS_BIND and MS_REC. */
  readonly flags: number;
  /** MOUNT_ATTR_* to set and to clear by mount_setattr(2) on a bind mount. */
  readonly attrSet: number;
  readonly attrClear: number;
  /** The same for the whole tree (`rro`, …). */
  readonly attrRecursive: boolean;
  readonly bind: 'no' | 'bind' | 'rbind';
  /** MS_SHARED and friends, with MS_REC where the option says so; 0 for none. */
  readonly propagation: number;
  /** Left over for the file system itself: `size=65536k`, `mode=755`. */
  readonly data: string;
};

type Effect = {
  readonly set?: number;
  readonly clear?: number;
  readonly attrSet?: number;
  readonly attrClear?: number;
};

const on = (ms: number, attr: number): Effect => ({ set: ms, attrSet: attr });
const off = (ms: number, attr: number): Effect => ({ clear: ms, attrClear: attr });
const { MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, MS_NODIRATIME, MS_RELATIME, MS_STRICTATIME } = MS_FLAGS;
const { MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC } = MOUNT_ATTR_FLAGS;
const { MOUNT_ATTR_NOATIME, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOSYMFOLLOW } = MOUNT_ATTR_FLAGS;
const atime = (ms: number, attr: number): Effect => ({ set: ms, attrSet: attr, attrClear: MOUNT_ATTR__ATIME });

const EFFECTS: Readonly<Record<string, Effect>> = {
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
  norelatime: { clear: MS_RELATIME },
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
  const plain = PROPAGATION[option];
  if (plain !== undefined) return plain;
  const recursive = option.startsWith('r') ? PROPAGATION[option.slice(1)] : undefined;
  return recursive === undefined ? undefined : recursive | MS_FLAGS.MS_REC;
}

/** Parse the options of one mount. Later options win over earlier ones; an unknown option is data for the file system. */
export function parseMountOptions(options: readonly string[]): MountFlags {
  let parsed: MountFlags = {
    flags: 0,
    attrSet: 0,
    attrClear: 0,
    attrRecursive: false,
    bind: 'no',
    propagation: 0,
    data: '',
  };
  for (const option of options) parsed = applyOption(parsed, option);
  return parsed;
}

function applyOption(parsed: MountFlags, option: string): MountFlags {
  if (option === 'bind' || option === 'rbind') return { ...parsed, bind: option };
  const propagation = propagationFlags(option);
  if (propagation !== undefined) return { ...parsed, propagation };
  const effect = EFFECTS[option];
  if (effect !== undefined) return applyEffect(parsed, effect);
  const recursive = option.startsWith('r') ? EFFECTS[option.slice(1)] : undefined;
  if (recursive?.attrSet !== undefined || recursive?.attrClear !== undefined) {
    return { ...applyEffect(parsed, recursive), attrRecursive: true };
  }
  return { ...parsed, data: parsed.data === '' ? option : `${parsed.data},${option}` };
}

function applyEffect(parsed: MountFlags, effect: Effect): MountFlags {
  const { set = 0, clear = 0, attrSet = 0, attrClear = 0 } = effect;
  return {
    ...parsed,
    flags: (parsed.flags & ~clear) | set,
    attrSet: (parsed.attrSet & ~attrClear) | attrSet,
    attrClear: (parsed.attrClear & ~attrSet) | attrClear,
  };
}
