// /sys/fs/cgroup inside a container: one mount on v2; a small tmpfs with a mount per hierarchy on v1. In a cgroup
// namespace of the container's own each shows only the container's part; in the host's, on v1, that part is bound.
import { basename } from 'node:path';

import type { CgroupLayout, Hierarchy } from '../../linux/cgroup/layout.ts';
import { MOUNT_ATTR_FLAGS, MS_FLAGS, OPEN_TREE_FLAGS } from '../../linux/mount-flags.ts';
import { bits, result, text, value, type Operation } from '../../linux/tape/operation.ts';
import { changeAttributes, moveMount, msFlags } from './mount-calls.ts';
import type { MountOperations } from './mount-facts.ts';
import { atCwd } from './path-operations.ts';

/** One hierarchy: its directory's name under /sys/fs/cgroup (`''` when it is all of it) and its mount options. */
export type CgroupMount = {
  readonly version: 1 | 2;
  readonly directory: string;
  /** v1: the controllers of the hierarchy, `cpu,cpuacct` or `name=systemd`. */
  readonly options: string;
  /** v1, without a cgroup namespace: the directory on the host that is the container's part. */
  readonly part?: string | undefined;
};

// What programs read to size themselves; a JVM asks for the first four of v1 together.
const SHOWN_V1: readonly string[] = ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids'];

/**
 * The hierarchies to show inside: all of v2 where the machine has nothing else, else the v1 hierarchies that programs read.
 * `partOf` tells the container's directory in a hierarchy, where it is in the cgroup namespace of the host.
 */
export function cgroupMounts({ hierarchies }: CgroupLayout, partOf?: (hierarchy: Hierarchy) => string): CgroupMount[] {
  const v1 = hierarchies.filter(
    ({ version, controllers }) => version === 1 && controllers.some((name) => SHOWN_V1.includes(name)),
  );
  if (v1.length === 0)
    return hierarchies.filter(({ version }) => version === 2).map(() => ({ version: 2, directory: '', options: '' }));
  return v1.map((hierarchy) => ({
    version: 1,
    directory: basename(hierarchy.mountPoint),
    options: hierarchy.controllers.join(','),
    ...(partOf === undefined ? {} : { part: partOf(hierarchy) }),
  }));
}

type CgroupOperations = Pick<MountOperations, 'afterPivot'> & Partial<MountOperations>;

/** Mount the hierarchies at `destination` with `flags` (MS_*). */
export function cgroupMountOperations(
  destination: string,
  flags: number,
  mounts: readonly CgroupMount[],
  userNamespace = false,
): CgroupOperations {
  const whole = mounts.find((mount) => mount.directory === '');
  if (whole !== undefined) return { afterPivot: [mountOne(destination, flags, whole)] };
  const tmpfsFlags = (flags & ~MS_FLAGS.MS_RDONLY) | MS_FLAGS.MS_NOSUID | MS_FLAGS.MS_NODEV | MS_FLAGS.MS_NOEXEC;
  const readonly: Operation = {
    call: 'mount',
    args: [
      0,
      text(destination),
      0,
      msFlags(MS_FLAGS.MS_REMOUNT | MS_FLAGS.MS_BIND | MS_FLAGS.MS_RDONLY | tmpfsFlags),
      0,
    ],
    what: `make ${destination} read-only`,
  };
  return {
    [userNamespace ? 'beforeUser' : 'beforePivot']: mounts.flatMap(takePart),
    afterPivot: [
      {
        call: 'mount',
        args: [text('tmpfs'), text(destination), text('tmpfs'), msFlags(tmpfsFlags), text('mode=755')],
        what: `mount tmpfs on ${destination}`,
      },
      ...mounts.flatMap((mount) => [
        ...linkOperations(destination, mount),
        mountPoint(destination, mount),
        ...(mount.part === undefined ? [mountOne(destination, flags, mount)] : attachPart(destination, flags, mount)),
      ]),
      ...((flags & MS_FLAGS.MS_RDONLY) === 0 ? [] : [readonly]),
    ],
  };
}

function takePart({ part }: CgroupMount): Operation[] {
  if (part === undefined) return [];
  const flags = OPEN_TREE_FLAGS.OPEN_TREE_CLONE | OPEN_TREE_FLAGS.OPEN_TREE_CLOEXEC;
  return [
    {
      call: 'open_tree',
      args: [atCwd, text(part), bits(flags, OPEN_TREE_FLAGS)],
      save: result(part),
      what: `take ${part}`,
    },
  ];
}

function attachPart(destination: string, flags: number, { directory, part = '' }: CgroupMount): Operation[] {
  const target = `${destination}/${directory}`;
  const { MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC } = MOUNT_ATTR_FLAGS;
  const always = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  const set = always | ((flags & MS_FLAGS.MS_RDONLY) === 0 ? 0 : MOUNT_ATTR_RDONLY);
  return [moveMount(result(part), target, `mount ${part} on ${target}`), changeAttributes(target, { set, clear: 0 })];
}

function mountPoint(destination: string, mount: CgroupMount): Operation {
  return {
    call: 'mkdirat',
    args: [atCwd, text(`${destination}/${mount.directory}`), value(0o755, '0755')],
    what: `make directory ${destination}/${mount.directory}`,
  };
}

function mountOne(destination: string, flags: number, mount: CgroupMount): Operation {
  const target = mount.directory === '' ? destination : `${destination}/${mount.directory}`;
  const type = mount.version === 2 ? 'cgroup2' : 'cgroup';
  const data = mount.options === '' ? 0 : text(mount.options);
  return {
    call: 'mount',
    args: [text(type), text(target), text(type), msFlags(flags), data],
    what: `mount ${type} ${mount.options} on ${target}`,
  };
}

/** `cpu -> cpu,cpuacct`: programs look for a controller under its own name. */
function linkOperations(destination: string, mount: CgroupMount): Operation[] {
  const names = mount.options
    .split(',')
    .filter((name) => mount.version === 1 && name !== mount.directory && !name.includes('='));
  return names.length < 2
    ? []
    : names.map((name) => ({
        call: 'symlinkat',
        args: [text(mount.directory), atCwd, text(`${destination}/${name}`)],
        what: `link ${destination}/${name}`,
      }));
}
