// /sys/fs/cgroup inside a container. The tape is in the container's own cgroup namespace, so each hierarchy shows only
// the container's part of it: one mount on v2; a small read-only tmpfs with a mount per hierarchy on v1.
import { basename } from 'node:path';

import type { CgroupLayout } from '../../linux/cgroup/layout.ts';
import { MS_FLAGS } from '../../linux/mount-flags.ts';
import { bits, text, value, type Operation, type Flags } from '../../linux/tape/operation.ts';
import { atCwd } from './path-operations.ts';

/** One hierarchy: its directory's name under /sys/fs/cgroup (`''` when it is all of it) and its mount options. */
export type CgroupMount = {
  readonly version: 1 | 2;
  readonly directory: string;
  /** v1: the controllers of the hierarchy, `cpu,cpuacct` or `name=systemd`. */
  readonly options: string;
};

// What programs read to size themselves; a JVM asks for the first four of v1 together.
const SHOWN_V1: readonly string[] = ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids'];

/** The hierarchies to show inside: all of v2 where the machine has nothing else, else the v1 hierarchies that programs read. */
export function cgroupMounts({ hierarchies }: CgroupLayout): CgroupMount[] {
  const v1 = hierarchies.filter(
    ({ version, controllers }) => version === 1 && controllers.some((name) => SHOWN_V1.includes(name)),
  );
  if (v1.length === 0)
    return hierarchies.filter(({ version }) => version === 2).map(() => ({ version: 2, directory: '', options: '' }));
  return v1.map(({ mountPoint, controllers }) => ({
    version: 1,
    directory: basename(mountPoint),
    options: controllers.join(','),
  }));
}

/** Mount the hierarchies at `destination` with `flags` (MS_*). */
export function cgroupMountOperations(destination: string, flags: number, mounts: readonly CgroupMount[]): Operation[] {
  const whole = mounts.find((mount) => mount.directory === '');
  if (whole !== undefined) return [mountOne(destination, flags, whole)];
  const tmpfsFlags = (flags & ~MS_FLAGS.MS_RDONLY) | MS_FLAGS.MS_NOSUID | MS_FLAGS.MS_NODEV | MS_FLAGS.MS_NOEXEC;
  return [
    {
      call: 'mount',
      args: [text('tmpfs'), text(destination), text('tmpfs'), flagValue(tmpfsFlags), text('mode=755')],
      what: `mount tmpfs on ${destination}`,
    },
    ...mounts.flatMap((mount) => [
      ...linkOperations(destination, mount),
      mountPoint(destination, mount),
      mountOne(destination, flags, mount),
    ]),
    {
      call: 'mount',
      args: [
        0,
        text(destination),
        0,
        flagValue(MS_FLAGS.MS_REMOUNT | MS_FLAGS.MS_BIND | MS_FLAGS.MS_RDONLY | tmpfsFlags),
        0,
      ],
      what: `make ${destination} read-only`,
    },
  ];
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
    args: [text(type), text(target), text(type), flagValue(flags), data],
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

function flagValue(flags: number): Flags {
  return bits(flags, MS_FLAGS);
}
