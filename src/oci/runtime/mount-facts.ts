// What the mounts of a container depend on besides config.json, and when in a tape their operations run.
import type { Operation } from '../../linux/tape/operation.ts';
import type { CgroupMount } from './cgroup-mount-operations.ts';

export type PathKind = 'file' | 'directory';

/** What the operations need to know of the machine. Gathered once, passed in, so that the tape stays pure. */
export type MountFacts = {
  /** What a bind source (or a masked path) is; undefined when there is no such path. */
  readonly kindOf: (path: string) => PathKind | undefined;
  /** The permissions of a directory of the container's files; undefined when there is none. */
  readonly modeOf: (path: string) => number | undefined;
  /** The cgroup hierarchies to show inside. */
  readonly cgroupMounts: readonly CgroupMount[];
  /** A directory of the host where the tape can mount what it then moves: its own, in its own mount namespace. */
  readonly stage?: string;
  /** Whether SELinux is on: `linux.mountLabel` means nothing without. */
  readonly selinux?: boolean;
  /** The mounts, by their place in the list, for which `preparedFd` is a descriptor of the tape: see prepare-mounts.ts. */
  readonly prepared?: ReadonlySet<number>;
};

/** Above all that a tape gives out (FIFO_FD), parks (preserve-operations.ts) or moves aside. Two numbers a mount. */
const FIRST_MOUNT_FD = 512;

/** What was made for a mount before the tape: the user namespace of `idmap`, the filled file system of `tmpcopyup`. */
export function preparedFd(index: number): number {
  return FIRST_MOUNT_FD + 2 * index;
}

/** The tape's own number for a mount that more than one operation needs. */
export function treeFd(index: number): number {
  return FIRST_MOUNT_FD + 2 * index + 1;
}

/** Operations in the order of the tape. Each list keeps the order of the mounts. */
export type MountOperations = {
  /** By the monitor: with the host's privileges, in the host's mount namespace. */
  readonly beforeUser: readonly Operation[];
  /** In the container's namespaces, while the host's files are still in view. */
  readonly beforePivot: readonly Operation[];
  /** Where every path ends inside the container. */
  readonly afterPivot: readonly Operation[];
  /** After the last mount. */
  readonly atEnd: readonly Operation[];
};

/** Operations of which some lists are empty. */
export function during(some: Partial<MountOperations>): MountOperations {
  return { beforeUser: [], beforePivot: [], afterPivot: [], atEnd: [], ...some };
}

/** The operations of several mounts at one time of the tape. */
export function collect(all: readonly MountOperations[], time: keyof MountOperations): Operation[] {
  return all.flatMap((operations) => operations[time]);
}
