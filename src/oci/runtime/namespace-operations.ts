// linux.namespaces: which ones clone3(2) makes, and what is done before and after it to make or join the others.
//
//   before the clone   pid, time: they hold for children only. With a user namespace: all that are joined, then the user
//                      namespace itself, so that the ones made by the clone belong to it (user_namespaces(7))
//   the clone          new mount, pid, network, ipc and uts namespaces
//   after the clone    the others that are joined; a new cgroup namespace, once the process is in its cgroup. A mount namespace
//                      last: see shared-mounts.ts
import { CLONE_FLAGS } from '../../linux/namespace-flags.ts';
import { PR_SET_DUMPABLE } from '../../linux/prctl.ts';
import { result, text, value, type Operation } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { Linux, NamespaceType } from './config.ts';
import { atCwd, writeFile } from './path-operations.ts';

/** Where the tape finds the user namespace to enter, made or opened by whoever runs the tape. */
export const USER_NAMESPACE_FD = 8;

type Flag = keyof typeof CLONE_FLAGS;

const FLAGS: Readonly<Record<NamespaceType, Flag>> = {
  pid: 'CLONE_NEWPID',
  network: 'CLONE_NEWNET',
  mount: 'CLONE_NEWNS',
  ipc: 'CLONE_NEWIPC',
  uts: 'CLONE_NEWUTS',
  user: 'CLONE_NEWUSER',
  cgroup: 'CLONE_NEWCGROUP',
  time: 'CLONE_NEWTIME',
};

/** After the clone, or before it. */
const MADE_OTHERWISE: ReadonlySet<NamespaceType> = new Set(['cgroup', 'time', 'user']);
const CLOCKS: readonly string[] = ['monotonic', 'boottime'];
const O_CLOEXEC = value(0o2000000, 'O_RDONLY|O_CLOEXEC');

export type NamespacePlan = {
  /** CLONE_NEW* of clone3(2). */
  readonly cloneFlags: number;
  /** The container is in a user namespace that is not the runtime's. */
  readonly user: boolean;
  readonly newNetwork: boolean;
  /** While the host's privileges last. */
  readonly beforeUser: readonly Operation[];
  /** Right before the clone. */
  readonly beforeClone: readonly Operation[];
  /** In the container's first process, once it is in its cgroup. */
  readonly afterClone: readonly Operation[];
  /** The mount namespace is joined when everything has been taken that the runtime's own shows. */
  readonly withMounts: readonly Operation[];
  /** Once it is root of its user namespace: /dev/mqueue belongs to whoever makes the ipc namespace. */
  readonly asRoot: readonly Operation[];
};

type Join = { readonly path: string; readonly flag: Flag };

/** What `linux` asks for. Pure. Throws OciError CONFIG_INVALID on what cannot be. */
export function planNamespaces(linux: Linux): NamespacePlan {
  const types = checkedTypes(linux);
  const made = (type: NamespaceType): boolean => types.has(type) && types.get(type) === undefined;
  const joins = [...types].flatMap(([type, path]): Join[] =>
    path === undefined || type === 'user' || type === 'mount' ? [] : [{ path, flag: FLAGS[type] }],
  );
  const mounts = types.get('mount');
  const user = types.has('user');
  const early = joins.filter(({ flag }) => user || flag === 'CLONE_NEWPID' || flag === 'CLONE_NEWTIME');
  const late = joins.filter((join) => !early.includes(join));
  const joinsPid = early.some(({ flag }) => flag === 'CLONE_NEWPID');
  return {
    cloneFlags: [...types.keys()]
      .filter((type) => made(type) && !MADE_OTHERWISE.has(type) && !(type === 'ipc' && user))
      .reduce((flags, type) => flags | CLONE_FLAGS[FLAGS[type]], 0),
    user,
    newNetwork: made('network'),
    beforeUser: [
      ...(joinsPid || user ? [opaque()] : []),
      ...early.flatMap(({ path, flag }) => joinNamespace(path, flag)),
    ],
    beforeClone: [...(user ? [enterUserNamespace()] : []), ...(made('time') ? timeOperations(linux) : [])],
    afterClone: [
      ...(made('cgroup')
        ? [unshareOperation('CLONE_NEWCGROUP', 'make the cgroup namespace, rooted where it stands now')]
        : []),
      ...late.flatMap(({ path, flag }) => joinNamespace(path, flag)),
    ],
    withMounts: mounts === undefined ? [] : joinNamespace(mounts, 'CLONE_NEWNS'),
    asRoot: user && made('ipc') ? [unshareOperation('CLONE_NEWIPC', 'make the ipc namespace')] : [],
  };
}

/** Type → path, undefined for a new one. */
function checkedTypes(linux: Linux): ReadonlyMap<NamespaceType, string | undefined> {
  const types = new Map<NamespaceType, string | undefined>();
  for (const { type, path } of linux.namespaces ?? []) {
    if (!Object.hasOwn(FLAGS, type)) throw invalid(`linux.namespaces: unknown type '${type}'`);
    if (types.has(type)) throw invalid(`linux.namespaces: '${type}' stands twice`);
    if (path !== undefined && path !== '' && !path.startsWith('/'))
      throw invalid(`linux.namespaces: the path '${path}' of '${type}' is not absolute`);
    types.set(type, path === '' ? undefined : path);
  }
  if (types.has('user') && (!types.has('mount') || types.get('mount') !== undefined))
    throw invalid("linux.namespaces: a container in a 'user' namespace needs a new 'mount' namespace too");
  const isNewUser = types.has('user') && types.get('user') === undefined;
  for (const field of ['uidMappings', 'gidMappings'] as const) {
    const isThere = (linux[field] ?? []).length > 0;
    if (isThere && !isNewUser) throw invalid(`linux.${field}: there is no new 'user' namespace to map`);
    if (!isThere && isNewUser) throw invalid(`linux.${field}: a new 'user' namespace needs them`);
  }
  if (Object.keys(linux.timeOffsets ?? {}).length > 0 && !(types.has('time') && types.get('time') === undefined))
    throw invalid("linux.timeOffsets: there is no new 'time' namespace to set");
  return types;
}

function invalid(message: string): OciError {
  return new OciError('CONFIG_INVALID', message);
}

/** Where others are in the same pid or user namespace, they could look at the tape until it becomes the program. */
function opaque(): Operation {
  return {
    call: 'prctl',
    args: [value(PR_SET_DUMPABLE, 'PR_SET_DUMPABLE'), 0, 0, 0, 0],
    what: 'be opaque to the other processes of its namespaces',
  };
}

function enterUserNamespace(): Operation {
  return {
    call: 'setns',
    args: [value(USER_NAMESPACE_FD, 'user namespace'), value(CLONE_FLAGS.CLONE_NEWUSER, 'CLONE_NEWUSER')],
    what: 'enter the user namespace',
  };
}

/** time_namespaces(7): offsets are written before the first process is in. */
function timeOperations({ timeOffsets = {} }: Linux): Operation[] {
  const lines = Object.entries(timeOffsets).map(([clock, { secs = 0, nanosecs = 0 }]) => {
    if (!CLOCKS.includes(clock)) throw invalid(`linux.timeOffsets: '${clock}' is none of ${CLOCKS.join(', ')}`);
    return `${clock} ${secs} ${nanosecs}\n`;
  });
  return [
    unshareOperation('CLONE_NEWTIME', 'make the time namespace'),
    ...(lines.length === 0 ? [] : writeFile('/proc/self/timens_offsets', lines.join(''), 'time offsets')),
  ];
}

function unshareOperation(flag: Flag, what: string): Operation {
  return { call: 'unshare', args: [value(CLONE_FLAGS[flag], flag)], what };
}

/** setns(2) to a namespace file, which must be of the type of `flag`. */
export function joinNamespace(path: string, flag: Flag): Operation[] {
  const fd = result(`namespace ${path}`);
  return [
    { call: 'openat', args: [atCwd, text(path), O_CLOEXEC, 0], save: fd, what: `open the namespace ${path}` },
    { call: 'setns', args: [fd, value(CLONE_FLAGS[flag], flag)], what: `join the namespace ${path}` },
  ];
}
