// linux.maskedPaths and linux.readonlyPaths: what a container must not see, or not change.
import { MOUNT_ATTR_FLAGS, MS_FLAGS, OPEN_TREE_FLAGS } from '../../linux/mount-flags.ts';
import { NEXT, skip } from '../../linux/tape/assemble.ts';
import { bits, result, text, value, type Operation } from '../../linux/tape/operation.ts';
import type { RuntimeConfig } from './config.ts';
import { isOwnDev } from './device-operations.ts';
import { changeAttributes, moveMount, msFlags } from './mount-calls.ts';
import { during, type MountFacts, type MountOperations, type PathKind } from './mount-facts.ts';
import { atCwd } from './path-operations.ts';

const NULL = '/dev/null';
const { MS_BIND, MS_REC, MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC } = MS_FLAGS;
const F_OK = value(0, 'F_OK');
const READ_ONLY = { set: MOUNT_ATTR_FLAGS.MOUNT_ATTR_RDONLY, clear: 0 };

/**
 * Hide paths: files behind a null device, directories behind one empty read-only tmpfs (SEC-3, SEC-17). The device is the one
 * that this tape has made in a /dev of its own; where there is none it is the host's, read-only: nobody may change its mode.
 */
export function maskOperations(config: RuntimeConfig, facts: MountFacts): MountOperations {
  const isOwn = hasOwnNull(config);
  const paths = (config.linux?.maskedPaths ?? []).map((path) => ({ path, kind: kindInside(path, config, facts) }));
  const first = paths.find(({ kind }) => kind === 'directory')?.path;
  const masks = paths.map(({ path, kind }, index): MountOperations => {
    if (kind === undefined) return during({});
    const directory = path === first || kind === 'unknown' ? coverDirectory(path) : bind(first ?? path, path);
    if (kind === 'directory') return during({ afterPivot: [directory] });
    const file = isOwn ? during({ afterPivot: [bind(NULL, path)] }) : coverWithHosts(path, index);
    return kind === 'file' ? file : either(path, directory, file);
  });
  return during({
    beforePivot: masks.flatMap(({ beforePivot }) => beforePivot),
    afterPivot: masks.flatMap(({ afterPivot }) => afterPivot),
  });
}

/** Make paths read-only, with all that is mounted below them: bind each on itself, then change that mount. */
export function readonlyOperations(config: RuntimeConfig, facts: MountFacts): Operation[] {
  return (config.linux?.readonlyPaths ?? []).flatMap((path) => {
    const kind = kindInside(path, config, facts);
    if (kind === undefined) return [];
    const operations: Operation[] = [
      {
        call: 'mount',
        args: [text(path), text(path), 0, msFlags(MS_BIND | MS_REC), 0],
        what: `bind ${path} on itself`,
      },
      changeAttributes(path, READ_ONLY, true),
    ];
    return kind === 'unknown' ? whereItIs(path, operations) : operations;
  });
}

/**
 * What a path is in the container. Below a /proc or /sys that is mounted it is what it is on the host, undefined when this
 * kernel has no such path; elsewhere only the container's files know.
 */
function kindInside(path: string, { mounts = [] }: RuntimeConfig, facts: MountFacts): PathKind | 'unknown' | undefined {
  const top = /^\/(?:proc|sys)(?=\/)/.exec(path)?.[0];
  return top !== undefined && mounts.some(({ destination }) => destination === top) ? facts.kindOf(path) : 'unknown';
}

function coverDirectory(path: string): Operation {
  const flags = msFlags(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
  return { call: 'mount', args: [text('tmpfs'), text(path), text('tmpfs'), flags, 0], what: `mask ${path}` };
}

/** Whether /dev/null was made by this tape, and is what it has made. */
function hasOwnNull({ mounts = [], linux }: RuntimeConfig): boolean {
  const dev = mounts.findIndex(isOwnDev);
  const covered = mounts.slice(dev + 1).some(({ destination }) => ['/', '/dev', NULL].includes(destination));
  return dev !== -1 && !covered && !(linux?.devices ?? []).some(({ path }) => path === NULL);
}

/** The source is what this tape has made: its own null device, or its first mask of a directory. */
function bind(source: string, path: string): Operation {
  return { call: 'mount', args: [text(source), text(path), 0, msFlags(MS_BIND), 0], what: `mask ${path}` };
}

function coverWithHosts(path: string, index: number): MountOperations {
  const tree = result(`mask ${index}`);
  const flags = OPEN_TREE_FLAGS.OPEN_TREE_CLONE | OPEN_TREE_FLAGS.OPEN_TREE_CLOEXEC;
  const take: Operation = {
    call: 'open_tree',
    args: [atCwd, text(NULL), bits(flags, OPEN_TREE_FLAGS)],
    save: tree,
    what: `take ${NULL} for ${path}`,
  };
  return during({
    beforePivot: [take],
    afterPivot: [moveMount(tree, path, `mask ${path}`), changeAttributes(path, READ_ONLY)],
  });
}

/** One of the two fits a path that is there: a file takes no tmpfs, and a directory no file. */
function either(path: string, directory: Operation, { beforePivot, afterPivot }: MountOperations): MountOperations {
  const first: Operation = { ...directory, onError: NEXT, onZero: skip(afterPivot.length) };
  return during({ beforePivot, afterPivot: whereItIs(path, [first, ...afterPivot]) });
}

/** The specification asks for nothing where there is no such path. What fails for another reason fails the start. */
function whereItIs(path: string, operations: readonly Operation[]): Operation[] {
  const look: Operation = {
    call: 'faccessat',
    args: [atCwd, text(path), F_OK],
    what: `look for ${path}`,
    onError: skip(operations.length),
  };
  return [look, ...operations];
}
