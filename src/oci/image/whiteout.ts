// Whiteouts: what a layer deletes from those below. OCI image-spec layer.md "Whiteouts" ↔ overlayfs.rst. Pure.
import { OciError } from '../error.ts';
import { baseName, printableName } from './entry-path.ts';

const PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** aufs kept its own housekeeping in the layer under this prefix; it means nothing to anybody else. */
const HOUSEKEEPING = '.wh..wh.';

export type Whiteout =
  /** Nothing of the lower layers shows in the directory that holds this entry. */
  | { readonly kind: 'opaque' }
  /** `name` of the lower layers, in the same directory, is gone. */
  | { readonly kind: 'remove'; readonly name: string }
  /** Not to be unpacked at all. */
  | { readonly kind: 'skip' };

/** Overlayfs's mark of an opaque directory, and the mark of a directory that may hold whiteouts. */
export const OVERLAY_OPAQUE = 'trusted.overlay.opaque';
export const OVERLAY_ORIGIN = 'trusted.overlay.origin';

/** What the entry at a normalised path removes; undefined for an ordinary one. Throws OciError UNSAFE_PATH. */
export function whiteoutOf(path: string): Whiteout | undefined {
  if (!path.includes(PREFIX)) return undefined;
  const base = baseName(path);
  if (base === OPAQUE) return { kind: 'opaque' };
  if (path.startsWith(HOUSEKEEPING) || path.includes(`/${HOUSEKEEPING}`)) return { kind: 'skip' };
  const above = path.slice(0, path.length - base.length);
  if (above.startsWith(PREFIX) || above.includes(`/${PREFIX}`)) {
    throw new OciError('UNSAFE_PATH', `The entry ${printableName(path)} lies below a whiteout`);
  }
  if (!base.startsWith(PREFIX)) return undefined;
  const name = base.slice(PREFIX.length);
  if (name === '' || name === '.' || name === '..') {
    throw new OciError(
      'UNSAFE_PATH',
      `The whiteout ${printableName(path)} would remove a directory from within itself`,
    );
  }
  return { kind: 'remove', name };
}

/**
 * Whether an extended attribute of a tar may be set. Overlayfs's own ones would let a layer redirect a lookup to any
 * path below it, other `trusted.*` and `security.*` ones address the host and not the container. File capabilities,
 * access control lists and `user.*` are the image's business.
 */
export function isImageXattr(name: string): boolean {
  if (name === 'security.capability') return true;
  if (name === 'system.posix_acl_access' || name === 'system.posix_acl_default') return true;
  return name.startsWith('user.') && !name.startsWith('user.overlay.');
}
