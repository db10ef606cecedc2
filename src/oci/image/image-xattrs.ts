// Sets the extended attributes that an image may carry.
import { type CString, cString } from '../../linux/at.ts';
import { isErrno } from '../../linux/errno.ts';
import { isImageXattr } from './whiteout.ts';

/**
 * Set those of `xattrs` that are the image's business, through `set`. A file system without `user.*` attributes or ACLs
 * is no reason to refuse an image; one that cannot keep file capabilities is, because programs would break in silence.
 */
export function setImageXattrs(xattrs: ReadonlyMap<string, Buffer>, set: (name: CString, value: Buffer) => void): void {
  for (const [name, value] of xattrs) {
    if (!isImageXattr(name)) continue;
    try {
      set(cString(name), value);
    } catch (error) {
      if (name === 'security.capability' || !isErrno(error, 'ENOTSUP', 'EOPNOTSUPP')) throw error;
    }
  }
}
