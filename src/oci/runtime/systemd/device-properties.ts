// Device rules as systemd knows them: a list of what is allowed (systemd.resource-control(5), "DeviceAllow="). It has no rule that
// takes back. Where the list cannot say it, it says more, never less: the exact rules are in the cgroup itself. Pure.
import type { CgroupDeviceRule } from '../../../linux/cgroup/resources.ts';
import { property, type UnitProperty } from './property.ts';

type Allowed = { readonly type: 'c' | 'b'; readonly major: number; readonly minor: number; readonly access: string };

const ANY = -1;
const ALL = 'rwm';

/**
 * DevicePolicy and DeviceAllow for rules in their order. `procDevices` is the content of /proc/devices: a whole major number goes by the
 * name of its driver, and where there is no driver there is nothing to allow.
 */
export function deviceProperties(rules: readonly CgroupDeviceRule[], procDevices: string): UnitProperty[] {
  const allowed = allowList(rules);
  const named = allowed?.flatMap((one) => entryOf(one, procDevices)) ?? [];
  const entries = [...new Map(named.map((entry) => [entry.join(' '), entry])).values()];
  return [
    property('DevicePolicy', 's', allowed === undefined ? 'auto' : 'strict'),
    property('DeviceAllow', 'a(ss)', []), // without it, systemd adds to what there is
    ...(entries.length === 0 ? [] : [property('DeviceAllow', 'a(ss)', entries)]),
  ];
}

/** Undefined: everything that is not denied is allowed, which is systemd's policy `auto`. */
function allowList(rules: readonly CgroupDeviceRule[]): Allowed[] | undefined {
  const last = rules.findLastIndex(isForAll);
  if (last === -1 || rules[last]?.allow === true) return undefined;
  return rules
    .slice(last + 1)
    .filter(({ allow }) => allow)
    .flatMap(({ type = 'a', major = ANY, minor = ANY, access = ALL }) =>
      (type === 'a' ? (['b', 'c'] as const) : [type]).map((one) => ({
        type: one,
        major,
        minor,
        access: access || ALL,
      })),
    );
}

function isForAll({ type = 'a', major = ANY, minor = ANY, access }: CgroupDeviceRule): boolean {
  return (
    type === 'a' && major === ANY && minor === ANY && ['r', 'w', 'm'].every((one) => (access || ALL).includes(one))
  );
}

function entryOf({ type, major, minor, access }: Allowed, procDevices: string): [string, string][] {
  const kind = type === 'c' ? 'char' : 'block';
  if (major === ANY) return [[`${kind}-*`, access]];
  if (minor !== ANY) return [[`/dev/${kind}/${major}:${minor}`, access]];
  return driversOf(kind, major, procDevices).map((name) => [`${kind}-${name}`, access]);
}

/** /proc/devices has a list of each kind: `Character devices:`, then lines of a major number and a name. */
function driversOf(kind: 'char' | 'block', major: number, procDevices: string): string[] {
  const [characters = '', blocks = ''] = procDevices.split(/^Block devices:$/m);
  const lines = (kind === 'char' ? characters : blocks).split('\n').map((line) => line.trim().split(/\s+/));
  return lines.flatMap(([number, name]) => (number === String(major) && name !== undefined ? [name] : []));
}
