// Bind mounts: the source is cloned while the host is still in view, and attached where every path ends inside the container.
//
//   plain                       take in the container's mount namespace, attach, change attributes by path
//   idmap                       take, change the detached mount, then attach
//   in a user namespace         the same, but taken with the host's privileges: there are sources that only root can reach,
//                               and flags of the host's mounts that nobody in there could change (mount_namespaces(7))
import { formatFlags } from '../../linux/flags.ts';
import { O_CLOEXEC, O_PATH } from '../../linux/at.ts';
import { AT_EMPTY_PATH, AT_RECURSIVE, MS_FLAGS, OPEN_TREE_FLAGS } from '../../linux/mount-flags.ts';
import { RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS } from '../../linux/openat2.ts';
import {
  bits,
  result,
  text,
  value,
  words,
  type Argument,
  type Operation,
  type Result,
} from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { Mount } from './config.ts';
import {
  idmapTree,
  moveMount,
  msFlags,
  propagationOperations,
  setAttributes,
  setTreeAttributes,
} from './mount-calls.ts';
import { during, preparedFd, treeFd, type MountFacts, type MountOperations } from './mount-facts.ts';
import type { MountFlags } from './mount-options.ts';
import { atCwd, makeDirectories, makeFile } from './path-operations.ts';

const { OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC } = OPEN_TREE_FLAGS;
const O_PATH_CLOEXEC = value(O_PATH | O_CLOEXEC, 'O_PATH|O_CLOEXEC');
const SIZEOF_OPEN_HOW = 24;

/** A bind mount, parsed, with its place in the list. */
export type Bind = {
  readonly mount: Mount;
  readonly index: number;
  readonly options: MountFlags;
  readonly userNamespace: boolean;
};

/** Throws OciError CONFIG_INVALID on a missing source. */
export function bindOperations(bind: Bind, facts: MountFacts): MountOperations {
  const { mount, options, userNamespace } = bind;
  const { destination, source, subPath } = mount;
  if ((options.flags & MS_FLAGS.MS_REMOUNT) !== 0) return during({ afterPivot: remount(destination, options) });
  const from = subPath === undefined ? source : `${source}/${subPath}`;
  const kind = from === undefined ? undefined : facts.kindOf(from);
  if (source === undefined || from === undefined || kind === undefined) throw missing(from, destination);
  const place = kind === 'directory' ? makeDirectories(destination) : makeFile(destination);
  const isNumbered = userNamespace || options.idmap !== 'no';
  const tree = isNumbered ? value(treeFd(bind.index), `tree ${bind.index}`) : taken(bind);
  const take = isNumbered ? takeNumbered(bind, { source, tree, facts }) : takeTree(bind, source);
  const attributes = isNumbered
    ? []
    : [...setAttributes(destination, options.attributes), ...setAttributes(destination, options.recursive, true)];
  return during({
    [userNamespace ? 'beforeUser' : 'beforePivot']: take,
    afterPivot: [
      ...place,
      moveMount(tree, destination, `mount ${from} on ${destination}`),
      ...attributes,
      ...propagationOperations(destination, options.propagation),
    ],
  });
}

function missing(source: string | undefined, destination: string): OciError {
  const text = `Cannot mount '${source ?? ''}' on ${destination}: no such file or directory on the host`;
  return new OciError('CONFIG_INVALID', text);
}

/** `remount` of a bind mount: other flags for what is mounted there already. */
function remount(destination: string, { flags }: MountFlags): Operation[] {
  const all = flags | MS_FLAGS.MS_BIND;
  const what = `remount ${destination} with ${formatFlags(all, MS_FLAGS)}`;
  return [{ call: 'mount', args: [0, text(destination), 0, msFlags(all), 0], what }];
}

type Numbered = { readonly source: string; readonly tree: Argument; readonly facts: MountFacts };

/** Clone the source, give it its number, and make of it what the options ask for. */
function takeNumbered(bind: Bind, { source, tree, facts }: Numbered): Operation[] {
  const { options } = bind;
  const number: Operation = {
    call: 'dup3',
    args: [taken(bind), tree, value(O_CLOEXEC, 'O_CLOEXEC')],
    what: `give ${source} its number`,
  };
  return [
    ...takeTree(bind, source),
    number,
    ...idmapOperations(bind, tree, facts),
    ...setTreeAttributes(tree, options.attributes, false),
    ...setTreeAttributes(tree, options.recursive, true),
  ];
}

function idmapOperations({ index, mount, options }: Bind, tree: Argument, facts: MountFacts): Operation[] {
  if (options.idmap === 'no') return [];
  const { source, destination } = mount;
  if (facts.prepared?.has(index) !== true) {
    const reason = "there are neither mappings of its own nor the container's";
    throw new OciError(
      'CONFIG_INVALID',
      `Cannot mount '${source}' on ${destination} with '${options.idmap}': ${reason}`,
    );
  }
  const userNamespace = value(preparedFd(index), `mappings ${index}`);
  const recursive = options.idmap === 'ridmap';
  return [idmapTree(tree, { userNamespace, recursive, what: `map the owners of ${source} for ${destination}` })];
}

function taken({ index }: Bind): Result {
  return result(`mount ${index}`);
}

function takeTree(bind: Bind, source: string): Operation[] {
  const { mount, options } = bind;
  if (mount.subPath !== undefined) return takeSubPath(bind, { source, subPath: mount.subPath });
  return [
    {
      call: 'open_tree',
      args: [atCwd, text(source), bits(treeFlags(options), OPEN_TREE_FLAGS)],
      save: taken(bind),
      what: `take ${source}`,
    },
  ];
}

function treeFlags(options: MountFlags): number {
  return OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (options.bind === 'rbind' ? AT_RECURSIVE : 0);
}

/** A path below a volume that another container may be changing: the kernel walks it and follows no link (CVE-2021-30465). */
function takeSubPath(bind: Bind, { source, subPath }: { source: string; subPath: string }): Operation[] {
  const { index, options } = bind;
  const volume = result(`volume ${index}`);
  const below = result(`sub path ${index}`);
  const how = words(
    [O_PATH | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS],
    '{O_PATH|O_CLOEXEC, RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS}',
  );
  const flags = treeFlags(options) | AT_EMPTY_PATH;
  return [
    { call: 'openat', args: [atCwd, text(source), O_PATH_CLOEXEC, 0], save: volume, what: `open ${source}` },
    {
      call: 'openat2',
      args: [volume, text(subPath), how, SIZEOF_OPEN_HOW],
      save: below,
      what: `find '${subPath}' below ${source}`,
    },
    {
      call: 'open_tree',
      args: [below, text(''), bits(flags, { ...OPEN_TREE_FLAGS, AT_EMPTY_PATH })],
      save: taken(bind),
      what: `take '${subPath}' of ${source}`,
    },
  ];
}
