// linux.rootfsPropagation: whether mounts spread between the host and the container, as runc has it (mount_namespaces(7)).
import { MS_FLAGS } from '../../linux/mount-flags.ts';
import { text, type Operation } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { Linux } from './config.ts';
import { msFlags } from './mount-calls.ts';
import { propagationFlags } from './mount-option-table.ts';

const { MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE, MS_UNBINDABLE } = MS_FLAGS;

/**
 * For the copy of the host's mounts. Bind sources are taken from it, so a volume can only be a slave of, or shared with, what
 * the host has when the copy still is. Throws OciError CONFIG_INVALID on an unknown value.
 */
export function hostPropagation(linux: Linux): number {
  const flags = flagsOf(linux);
  if (flags === undefined) return MS_SLAVE | MS_REC;
  if ((flags & MS_UNBINDABLE) !== 0) return MS_PRIVATE | MS_REC; // the root could not be taken from it
  return flags;
}

/** Whether what is mounted on the container's root could spread over the host. */
export function isShared(linux: Linux): boolean {
  return ((flagsOf(linux) ?? 0) & MS_SHARED) !== 0;
}

/** Keep the root, and what is mounted in it, from spreading: each mount is made private. */
export function keepApart(mountPoints: readonly string[]): Operation[] {
  return [...new Set(mountPoints)].map((path) =>
    setPropagation(path, MS_PRIVATE, `keep mounts in ${path} from the host`),
  );
}

/** In place of the host's root, before it is let go of: unmounting it must not spread. */
export function releaseOperations(linux: Linux): Operation[] {
  return isShared(linux) ? [setPropagation('.', MS_SLAVE | MS_REC, 'keep what comes from the host')] : [];
}

/** For the container's own root, after the last mount. */
export function rootPropagation(linux: Linux): Operation[] {
  const flags = flagsOf(linux);
  return flags === undefined ? [] : [setPropagation('/', flags, `make the root ${linux.rootfsPropagation}`)];
}

function flagsOf({ rootfsPropagation }: Linux): number | undefined {
  if (rootfsPropagation === undefined || rootfsPropagation === '') return undefined;
  const flags = propagationFlags(rootfsPropagation);
  if (flags !== undefined) return flags;
  throw new OciError('CONFIG_INVALID', `linux.rootfsPropagation: unknown value '${rootfsPropagation}'`);
}

function setPropagation(path: string, flags: number, what: string): Operation {
  return { call: 'mount', args: [0, text(path), 0, msFlags(flags), 0], what };
}
