// linux.maskedPaths and linux.readonlyPaths: what a container must not see, or not change.
import { MS_FLAGS, OPEN_TREE_FLAGS } from '../../linux/mount-flags.ts';
import { NEXT } from '../../linux/tape/assemble.ts';
import { bits, result, text, type Operation } from '../../linux/tape/operation.ts';
import type { RuntimeConfig } from './config.ts';
import { moveMount, msFlags, type MountFacts, type MountOperations, type PathKind } from './mount-operations.ts';
import { atCwd } from './path-operations.ts';

const { MS_BIND, MS_REC, MS_REMOUNT, MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC } = MS_FLAGS;

/**
 * Hide paths: files behind /dev/null of the host, directories behind an empty read-only tmpfs (SEC-3, SEC-17). The host's
 * node is taken once; the next files are bound to the first that it hides, which is a path of the kernel's own.
 */
export function maskOperations(config: RuntimeConfig, facts: MountFacts): MountOperations {
  const all = (config.linux?.maskedPaths ?? []).map((path) => ({ path, kind: kindInside(path, config, facts) }));
  const firstFile = all.find(({ kind }) => kind === 'file')?.path;
  const masks = all.map(({ path, kind }, index): MountOperations => {
    if (kind === 'file' && path !== firstFile && firstFile !== undefined) return after(bindMask(firstFile, path));
    if (kind === 'file') return coverFile(path, index);
    if (kind === 'directory') return after(coverDirectory(path));
    return kind === 'unknown' ? coverEither(path, index) : after();
  });
  return {
    beforePivot: masks.flatMap(({ beforePivot }) => beforePivot),
    afterPivot: masks.flatMap(({ afterPivot }) => afterPivot),
  };
}

/** Make paths read-only: bind each on itself, then remount. */
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
      {
        call: 'mount',
        args: [0, text(path), 0, msFlags(MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC), 0],
        what: `make ${path} read-only`,
      },
    ];
    return kind === 'unknown' ? operations.map(whereItIs) : operations;
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

function after(...afterPivot: readonly Operation[]): MountOperations {
  return { beforePivot: [], afterPivot };
}

function coverDirectory(path: string): Operation {
  const flags = msFlags(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
  return { call: 'mount', args: [text('tmpfs'), text(path), text('tmpfs'), flags, 0], what: `mask ${path}` };
}

function coverFile(path: string, index: number): MountOperations {
  const tree = result(`mask ${index}`);
  const flags = OPEN_TREE_FLAGS.OPEN_TREE_CLONE | OPEN_TREE_FLAGS.OPEN_TREE_CLOEXEC;
  const take: Operation = {
    call: 'open_tree',
    args: [atCwd, text('/dev/null'), bits(flags, OPEN_TREE_FLAGS)],
    save: tree,
    what: `take /dev/null for ${path}`,
  };
  return { beforePivot: [take], afterPivot: [moveMount(tree, path, `mask ${path}`)] };
}

function bindMask(masked: string, path: string): Operation {
  return { call: 'mount', args: [text(masked), text(path), 0, msFlags(MS_BIND), 0], what: `mask ${path}` };
}

/** One of the two fits a path that is there: a file takes no tmpfs, and a directory no file. */
function coverEither(path: string, index: number): MountOperations {
  const { beforePivot, afterPivot } = coverFile(path, index);
  return { beforePivot, afterPivot: [coverDirectory(path), ...afterPivot].map(whereItIs) };
}

/** The specification asks for nothing where there is no such path. */
function whereItIs(operation: Operation): Operation {
  return { ...operation, onError: NEXT };
}
