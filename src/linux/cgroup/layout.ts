// cgroups(7): which hierarchies are mounted here, and which controllers live in which. v1, v2, or both at once.
import { readFileSync } from 'node:fs';

import { CgroupError } from './error.ts';

/** One mounted hierarchy. */
export type Hierarchy = {
  readonly version: 1 | 2;
  readonly mountPoint: string;
  /** v1: as in /proc/self/cgroup, `cpu` and `cpuacct`, or `name=systemd`. v2: those that can be enabled here. */
  readonly controllers: readonly string[];
  /** The cgroup of this process, as a path below `mountPoint`. */
  readonly self: string;
};

export type CgroupLayout = { readonly hierarchies: readonly Hierarchy[] };

/**
 * Controllers by their v2 names; `io` is blkio on v1. v2 has cpuacct, devices and freezer without a controller of that name,
 * and the network's not at all.
 */
export type Controller =
  | 'cpu'
  | 'cpuset'
  | 'hugetlb'
  | 'io'
  | 'memory'
  | 'pids'
  | 'rdma'
  | 'cpuacct'
  | 'devices'
  | 'freezer'
  | 'net_cls'
  | 'net_prio';

/** A hierarchy with the directory of one cgroup in it. */
export type Place = { readonly hierarchy: Hierarchy; readonly directory: string };

const CORE_IN_V2: ReadonlySet<string> = new Set(['cpuacct', 'devices', 'freezer']);

/**
 * Combine /proc/self/mountinfo and /proc/self/cgroup. `controllersOf` is asked for the content of `cgroup.controllers`
 * at the mount point of cgroup2. A hierarchy that is not mounted is not in the layout. Pure.
 */
export function detectCgroups(
  mountinfo: string,
  selfCgroup: string,
  controllersOf: (mountPoint: string) => string,
): CgroupLayout {
  const mounts = cgroupMounts(mountinfo);
  const hierarchies = selfCgroup.split('\n').flatMap((line): Hierarchy[] => {
    const match = /^(?<id>\d+):(?<controllers>[^:]*):(?<path>.*)$/.exec(line);
    const { id, controllers = '', path = '/' } = match?.groups ?? {};
    if (id === undefined) return [];
    const version = id === '0' ? 2 : 1;
    const names = controllers.split(',').filter((name) => name !== '');
    const mount = pick(mounts.filter((one) => one.version === version && names.every((name) => one.options.has(name))));
    if (mount === undefined) return [];
    const { mountPoint } = mount;
    const listed = version === 2 ? controllersOf(mountPoint).split(/\s+/).filter(Boolean) : names;
    return [{ version, mountPoint, controllers: listed, self: below(mount.root, path) }];
  });
  return { hierarchies };
}

/** The layout of this machine, as this process sees it. Throws what reading /proc throws. */
export function readCgroupLayout(): CgroupLayout {
  return detectCgroups(
    readFileSync('/proc/self/mountinfo', 'utf8'),
    readFileSync('/proc/self/cgroup', 'utf8'),
    (mountPoint) => readFileSync(`${mountPoint}/cgroup.controllers`, 'utf8'),
  );
}

/** Whether `hierarchy` has `controller`, under the name its version gives it. */
export function hasController(hierarchy: Hierarchy, controller: Controller): boolean {
  if (hierarchy.version === 1) return hierarchy.controllers.includes(controller === 'io' ? 'blkio' : controller);
  return CORE_IN_V2.has(controller) || hierarchy.controllers.includes(controller);
}

/** The hierarchy that has `controller`. A v1 hierarchy takes a controller away from v2, so it is asked first. */
export function hierarchyOf(layout: CgroupLayout, controller: Controller): Hierarchy | undefined {
  const having = layout.hierarchies.filter((hierarchy) => hasController(hierarchy, controller));
  return having.find(({ version }) => version === 1) ?? having[0];
}

/** The hierarchy of cgroup2, on a hybrid machine one without controllers. */
export function unifiedHierarchy(layout: CgroupLayout): Hierarchy | undefined {
  return layout.hierarchies.find(({ version }) => version === 2);
}

/** Refuse any path that is not `/a/b`: absolute, no empty, `.` or `..` segments, and not the root. */
export function checkCgroupPath(path: string): void {
  const segments = path.split('/').slice(1);
  const sound = path.startsWith('/') && segments.every((name) => !['', '.', '..'].includes(name));
  if (sound && !/[\0\n]/.test(path)) return;
  throw new CgroupError('PATH_INVALID', `A cgroup path is absolute and has plain segments, but this is '${path}'`);
}

type CgroupMount = {
  readonly version: 1 | 2;
  readonly mountPoint: string;
  readonly root: string;
  /** v1: the options of the superblock, where the controllers are. */
  readonly options: ReadonlySet<string>;
};

/** The fields of proc_pid_mountinfo(5): 4 is the root within the file system, 5 the mount point, the type follows `-`. */
function cgroupMounts(mountinfo: string): CgroupMount[] {
  return mountinfo.split('\n').flatMap((line): CgroupMount[] => {
    const [before = '', after = ''] = line.split(' - ');
    const [type, , options = ''] = after.split(' ');
    const [, , , root = '/', mountPoint = ''] = before.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') return [];
    const version = type === 'cgroup2' ? 2 : 1;
    return [{ version, mountPoint: unescape(mountPoint), root: unescape(root), options: new Set(options.split(',')) }];
  });
}

/** A hierarchy may be mounted several times, also in part (a bind into a container): prefer a mount of all of it. */
function pick(mounts: readonly CgroupMount[]): CgroupMount | undefined {
  return mounts.find(({ root }) => root === '/') ?? mounts[0];
}

/** /proc/self/cgroup names a path from the root of the hierarchy; a mount of a part shows only what is below `root`. */
function below(root: string, path: string): string {
  if (root === '/' || !`${path}/`.startsWith(`${root}/`)) return path;
  return path.slice(root.length) || '/';
}

/** mountinfo writes space, tab, newline and backslash as three octal digits. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
