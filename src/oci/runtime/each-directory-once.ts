// Mount targets share parents: a directory is made and checked once, until a mount may have hidden it.
import type { Operation } from '../../linux/tape/operation.ts';

/** Leave out what was made or checked before, and checks in a tmpfs that this tape has mounted: only it writes there. Pure. */
export function eachDirectoryOnce(operations: readonly Operation[]): Operation[] {
  let done = new Set<string>();
  let directories = new Set<string>();
  const own = new Set<string>();
  return operations.filter((operation) => {
    const target = targetOf(operation);
    if (target !== undefined && directories.has(target) && !isKernelsOwn(target)) {
      done = new Set();
      directories = new Set();
    }
    if (target !== undefined) noteTarget(own, target, operation);
    const path = pathOf(operation);
    if (path === undefined) return true;
    directories.add(path);
    if (done.has(operation.what)) return false;
    done.add(operation.what);
    return operation.call === 'mkdirat' || ![...own].some((directory) => path.startsWith(`${directory}/`));
  });
}

/** The directory that an operation makes or checks. */
function pathOf({ call, args: [, path], save }: Operation): string | undefined {
  if (save !== undefined || (call !== 'mkdirat' && call !== 'openat2')) return undefined;
  return typeof path === 'object' && path.type === 'text' ? path.text : undefined;
}

/** Where an operation mounts something: mount(2) and move_mount(2). */
function targetOf({ call, args }: Operation): string | undefined {
  const target = call === 'mount' ? args[1] : call === 'move_mount' ? args[3] : undefined;
  return typeof target === 'object' && target.type === 'text' ? target.text : undefined;
}

/** A tmpfs is empty; what others have written may be mounted on it, or below, later. */
function noteTarget(own: Set<string>, target: string, { call, args: [, , type] }: Operation): void {
  if (call === 'mount' && typeof type === 'object' && type.type === 'text' && type.text === 'tmpfs') own.add(target);
  else if (call === 'move_mount') for (const directory of own) if (isBelow(target, directory)) own.delete(directory);
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

/** Nothing has been made below these before they are mounted, and what is mounted below them holds no mount target. */
function isKernelsOwn(path: string): boolean {
  return /^\/(proc|sys|dev)(\/|$)/.test(path);
}
