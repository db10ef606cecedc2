// Mount options of config.json (config.md "Mounts", mount(8)) → what the kernel is asked for. Pure.
import { optionEffect, propagationFlags, recursiveEffect, type OptionEffect } from './mount-option-table.ts';

/** Attributes to change by mount_setattr(2): MOUNT_ATTR_*. A bit is in one of the two, but for the modes of access times. */
export type AttributeChange = { readonly set: number; readonly clear: number };

/** What a list of options means to the kernel. */
export type MountFlags = {
  /** MS_* for mount(2), without MS_BIND and MS_REC. */
  readonly flags: number;
  /** The same for a bind mount. */
  readonly attributes: AttributeChange;
  /** For the whole tree of mounts: `rro`, `rnosuid`, …. */
  readonly recursive: AttributeChange;
  readonly bind: 'no' | 'bind' | 'rbind';
  /** MS_SHARED and friends in the order given, with MS_REC where the option says so. */
  readonly propagation: readonly number[];
  /** Show the files with other owners, by a mapping of user ids; `ridmap`: of the whole tree. */
  readonly idmap: 'no' | 'idmap' | 'ridmap';
  /** `tmpcopyup`: a tmpfs that begins with what it covers. */
  readonly copyUp: boolean;
  /** Left over for the file system itself: `size=65536k`, `mode=755`. */
  readonly data: string;
};

const NO_CHANGE: AttributeChange = { set: 0, clear: 0 };
const NO_OPTIONS: MountFlags = {
  flags: 0,
  attributes: NO_CHANGE,
  recursive: NO_CHANGE,
  bind: 'no',
  propagation: [],
  idmap: 'no',
  copyUp: false,
  data: '',
};

/** Parse the options of one mount. Later options win over earlier ones; an unknown option is data for the file system. */
export function parseMountOptions(options: readonly string[]): MountFlags {
  return options.reduce(applyOption, NO_OPTIONS);
}

/** Whether anything is changed at all. */
export function isChange({ set, clear }: AttributeChange): boolean {
  return set !== 0 || clear !== 0;
}

function applyOption(parsed: MountFlags, option: string): MountFlags {
  if (option === 'bind' || option === 'rbind') return { ...parsed, bind: option };
  if (option === 'idmap' || option === 'ridmap') return { ...parsed, idmap: option };
  if (option === 'tmpcopyup') return { ...parsed, copyUp: true };
  const propagation = propagationFlags(option);
  if (propagation !== undefined) return { ...parsed, propagation: [...parsed.propagation, propagation] };
  const effect = optionEffect(option);
  if (effect !== undefined) return applyEffect(parsed, effect);
  const recursive = recursiveEffect(option);
  if (recursive !== undefined) return { ...parsed, recursive: changed(parsed.recursive, recursive) };
  return { ...parsed, data: parsed.data === '' ? option : `${parsed.data},${option}` };
}

function applyEffect(parsed: MountFlags, effect: OptionEffect): MountFlags {
  const { set = 0, clear = 0 } = effect;
  return { ...parsed, flags: (parsed.flags & ~clear) | set, attributes: changed(parsed.attributes, effect) };
}

function changed({ set, clear }: AttributeChange, { attrSet = 0, attrClear = 0 }: OptionEffect): AttributeChange {
  return { set: (set & ~attrClear) | attrSet, clear: (clear & ~attrSet) | attrClear };
}
