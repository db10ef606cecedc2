// The unit of a container under the systemd cgroup driver, and where systemd puts its cgroup. Pure.
import { OciError } from '../../error.ts';

const SYSTEM_SLICE = 'system.slice';
const OWN_PREFIX = 'berth';
const SLICE = '.slice';

export type Unit = {
  /** `PREFIX-NAME.scope`, or a name that ends in `.slice`. */
  readonly name: string;
  /** The slice that it is in. */
  readonly slice: string;
  /** Below every hierarchy's root. */
  readonly cgroupPath: string;
};

/**
 * What `cgroupsPath` names where it is `slice:prefix:name`, as runc and crun have it: without a slice `system.slice`, without a path
 * the scope `berth-ID`. Throws OciError CONFIG_INVALID.
 */
export function unitOf(cgroupsPath: string | undefined, id: string): Unit {
  const parts = (cgroupsPath || `:${OWN_PREFIX}:${id}`).split(':');
  const [slice = '', prefix = '', last = ''] = parts;
  if (parts.length !== 3)
    throw invalid(`expected the format "slice:prefix:name" for systemd cgroups, got '${cgroupsPath}' instead`);
  const name = last.endsWith(SLICE) ? last : `${prefix}-${last}.scope`;
  if (last === '' || !/^[\w:.\\@-]{1,255}$/.test(name)) throw invalid(`'${name}' is not a name of a systemd unit`);
  const parent = slice || SYSTEM_SLICE;
  return { name, slice: parent, cgroupPath: `${slicePath(parent)}/${name}` };
}

/** `a-b.slice` is below `a.slice`, `-.slice` is the root: systemd.slice(5). */
function slicePath(slice: string): string {
  const stem = slice.slice(0, -SLICE.length);
  if (slice === `-${SLICE}`) return '';
  const sound = slice.endsWith(SLICE) && stem.split('-').every((part) => /^[\w:.\\@]+$/.test(part));
  if (!sound) throw invalid(`'${slice}' is not a name of a systemd slice`);
  return stem
    .split('-')
    .map((_, index, parts) => `/${parts.slice(0, index + 1).join('-')}${SLICE}`)
    .join('');
}

function invalid(why: string): OciError {
  return new OciError('CONFIG_INVALID', `linux.cgroupsPath: ${why}`);
}
