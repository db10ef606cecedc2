// cgroup v1: a new cgroup in the devices hierarchy begins with the rules of the one above it. Where many containers have the same
// rules, these are written once.
import { isErrno } from '../errno.ts';
import { readControl, writeControl } from './control-file.ts';
import { hierarchyOf, type CgroupLayout } from './layout.ts';
import { deviceWritesV1 } from './limits-v1.ts';
import { makePlace } from './make-directories.ts';
import { placeIn } from './place.ts';
import type { CgroupDeviceRule } from './resources.ts';

/**
 * Make the cgroup `path` with exactly these rules, so that those made directly below it have them too. `rules` are a denial of
 * everything, then what is allowed. Returns false where that cannot be: no devices hierarchy of v1, rules of another form, or a
 * cgroup that exists with other rules and has cgroups below it. Throws what mkdir(2) throws.
 */
export function shareDeviceRules(layout: CgroupLayout, path: string, rules: readonly CgroupDeviceRule[]): boolean {
  const hierarchy = hierarchyOf(layout, 'devices');
  const [denial, ...allowed] = deviceWritesV1(rules);
  if (hierarchy?.version !== 1 || denial?.file !== 'devices.deny' || denial.value !== 'a') return false;
  if (allowed.some(({ file }) => file !== 'devices.allow')) return false;
  const place = placeIn(hierarchy, path);
  const lines = allowed.map(({ value }) => value);
  makePlace(place);
  return hasRules(place.directory, lines) || setRules(place.directory, lines);
}

function hasRules(directory: string, lines: readonly string[]): boolean {
  const list = readControl(`${directory}/devices.list`).trimEnd().split('\n');
  return list.toSorted().join() === lines.toSorted().join();
}

/** The kernel refuses a denial of everything where there are cgroups below: they would keep what they have. */
function setRules(directory: string, lines: readonly string[]): boolean {
  try {
    writeControl(`${directory}/devices.deny`, 'a');
    writeControl(`${directory}/devices.allow`, ...lines);
    return hasRules(directory, lines);
  } catch (error) {
    if (isErrno(error, 'EINVAL', 'EPERM')) return false;
    throw error;
  }
}
