// The mounts of config.json as tape operations, in the order of the list (config.md "Mounts").
import { MNT_DETACH, MS_FLAGS, OPEN_TREE_FLAGS } from '../../linux/mount-flags.ts';
import { bits, result, text, value, type Operation, type Result } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import { bindOperations } from './bind-operations.ts';
import { cgroupMountOperations } from './cgroup-mount-operations.ts';
import type { Mount, RuntimeConfig } from './config.ts';
import { moveMount, msFlags, propagationOperations, setAttributes } from './mount-calls.ts';
import { during, preparedFd, type MountFacts, type MountOperations } from './mount-facts.ts';
import { parseMountOptions, type MountFlags } from './mount-options.ts';
import { hasUserNamespace } from './namespaces-of.ts';
import { atCwd, makeDirectories, makePlainDirectory } from './path-operations.ts';
import { isBind } from './plain-mounts.ts';
import { refuseInsideProc } from './proc-guard.ts';

/** mount(2) takes at most a page of options, with its end. */
const MAX_DATA = 4095;
/** Kernel file systems that take no label of SELinux, or have their own. */
const UNLABELLED: ReadonlySet<string> = new Set(['proc', 'sysfs', 'cgroup', 'cgroup2', 'mqueue']);

/** File systems that show the kernel or its memory, and nothing of the host's files. */
const KERNELS_OWN: ReadonlySet<string> = new Set(
  (
    'none proc sysfs tmpfs ramfs devpts devtmpfs mqueue cgroup2 hugetlbfs bpf binfmt_misc configfs debugfs tracefs ' +
    'securityfs selinuxfs fusectl pstore'
  ).split(' '),
);

type Entry = { readonly mount: Mount; readonly index: number; readonly options: MountFlags };

/** Operations of each mount. Throws OciError CONFIG_INVALID on a missing source, or a mount that would hide what /proc tells. */
export function mountOperations(config: RuntimeConfig, facts: MountFacts): MountOperations[] {
  const { mounts = [] } = config;
  return mounts.map((mount, index) => {
    const options = parseMountOptions(mount.options ?? []);
    const entry = { mount, index, options };
    refuseInsideProc(mount, isBind(mount));
    const userNamespace = hasUserNamespace(config);
    if (isBind(mount)) return bindOperations({ ...entry, userNamespace }, facts);
    if (mount.type === 'cgroup') return cgroupOperations(entry, facts, userNamespace);
    if (options.copyUp) return filledOperations(entry, facts);
    return fileSystemOperations(entry, config, facts);
  });
}

function cgroupOperations(entry: Entry, facts: MountFacts, userNamespace: boolean): MountOperations {
  const { mount, options } = entry;
  const { destination } = mount;
  const hierarchies = cgroupMountOperations(destination, options.flags, facts.cgroupMounts, userNamespace);
  return during({
    ...hierarchies,
    afterPivot: [
      ...makeDirectories(destination),
      ...hierarchies.afterPivot,
      ...propagationOperations(destination, options.propagation),
    ],
  });
}

/** A tmpfs that is filled and waits to be attached. */
function filledOperations({ mount: { destination, type }, index, options }: Entry, facts: MountFacts): MountOperations {
  if (facts.prepared?.has(index) !== true) {
    throw new OciError('CONFIG_INVALID', `Cannot mount ${type} on ${destination}: 'tmpcopyup' is an option of tmpfs`);
  }
  return during({
    afterPivot: [
      ...makeDirectories(destination),
      moveMount(
        value(preparedFd(index), 'filled tmpfs'),
        destination,
        `mount a tmpfs with what was there on ${destination}`,
      ),
      ...setAttributes(destination, options.recursive, true),
      ...propagationOperations(destination, options.propagation),
    ],
  });
}

function fileSystemOperations(entry: Entry, config: RuntimeConfig, facts: MountFacts): MountOperations {
  const { mount, options } = entry;
  const { destination, type = 'none', source = type } = mount;
  const isDeferred = isReadonlyLater(entry, config);
  const flags = isDeferred ? options.flags & ~MS_FLAGS.MS_RDONLY : options.flags;
  const data = dataOf(mount, options, { config, facts });
  const mountAt = (path: string): Operation => ({
    call: 'mount',
    args: [text(source), text(path), text(type), msFlags(flags), data === '' ? 0 : text(data)],
    what: `mount ${type} on ${destination}`,
  });
  const isRemount = (flags & MS_FLAGS.MS_REMOUNT) !== 0;
  const stage = isRemount || KERNELS_OWN.has(type) ? undefined : facts.stage;
  const staged = result(`mount ${entry.index}`);
  return during({
    beforePivot: stage === undefined ? [] : takeStaged(mountAt(stage), stage, staged),
    afterPivot: [
      ...(isRemount ? [] : placeOf(type, destination)),
      stage === undefined ? mountAt(destination) : moveMount(staged, destination, `mount ${type} on ${destination}`),
      ...setAttributes(destination, options.recursive, true),
      ...propagationOperations(destination, options.propagation),
    ],
    atEnd: isDeferred ? readonlyAgain(destination, options) : [],
  });
}

/** A file system that names files of the host is mounted while they are in view, and taken from there. */
function takeStaged(mount: Operation, stage: string, staged: Result): Operation[] {
  const flags = OPEN_TREE_FLAGS.OPEN_TREE_CLONE | OPEN_TREE_FLAGS.OPEN_TREE_CLOEXEC;
  return [
    mount,
    {
      call: 'open_tree',
      args: [atCwd, text(stage), bits(flags, OPEN_TREE_FLAGS)],
      save: staged,
      what: `take what is mounted on ${stage}`,
    },
    { call: 'umount2', args: [text(stage), value(MNT_DETACH, 'MNT_DETACH')], what: `have it no longer on ${stage}` },
  ];
}

function placeOf(type: string, destination: string): Operation[] {
  return type === 'proc' || type === 'sysfs' ? makePlainDirectory(destination, type) : makeDirectories(destination);
}

/** A tmpfs stays writable for as long as something has to be made in it: devices, mount points of later mounts. */
function isReadonlyLater({ mount, index, options }: Entry, { mounts = [] }: RuntimeConfig): boolean {
  if (mount.type !== 'tmpfs' || (options.flags & MS_FLAGS.MS_RDONLY) === 0) return false;
  const below = mount.destination === '/' ? '/' : `${mount.destination}/`;
  return (
    mount.destination === '/dev' || mounts.slice(index + 1).some(({ destination }) => destination.startsWith(below))
  );
}

function readonlyAgain(destination: string, { flags }: MountFlags): Operation[] {
  const all = flags | MS_FLAGS.MS_REMOUNT | MS_FLAGS.MS_BIND;
  const what = `make ${destination} read-only, now that all is in it`;
  return [{ call: 'mount', args: [0, text(destination), 0, msFlags(all), 0], what }];
}

type Circumstances = { readonly config: RuntimeConfig; readonly facts: MountFacts };

/** What the file system itself is told. */
function dataOf(mount: Mount, options: MountFlags, { config, facts }: Circumstances): string {
  const parts = [options.data, modeOf(mount, options, facts), labelOf(mount, config, facts)];
  const data = parts.filter((part) => part !== '').join(',');
  if (Buffer.byteLength(data) <= MAX_DATA) return data;
  throw new OciError(
    'CONFIG_INVALID',
    `Cannot mount ${mount.destination}: its options are longer than ${MAX_DATA} bytes`,
  );
}

/** A tmpfs that does not say its mode has that of the directory it covers: else all could write where that is private. */
function modeOf({ type, destination }: Mount, options: MountFlags, facts: MountFacts): string {
  if (type !== 'tmpfs' || /(^|,)mode=/.test(options.data) || (options.flags & MS_FLAGS.MS_REMOUNT) !== 0) return '';
  const mode = facts.modeOf(destination);
  return mode === undefined ? '' : `mode=${mode.toString(8)}`;
}

/** linux.mountLabel: the label of all files, where the kernel has labels. */
function labelOf({ type = 'none' }: Mount, { linux }: RuntimeConfig, { selinux }: MountFacts): string {
  if (selinux !== true || linux?.mountLabel === undefined || UNLABELLED.has(type)) return '';
  return `context="${linux.mountLabel}"`;
}
