// Attributes of what has no descriptor to set them through: symbolic links, device nodes, FIFOs.
import { fchmodat, lchownat, utimensat } from '../../linux/at.ts';
import { lsetxattr } from '../../linux/xattr.ts';
import { setImageXattrs } from './image-xattrs.ts';
import { pathAt } from './layer-node.ts';
import type { TarHeader } from './tar-entry.ts';

/** Set what `header` says on `name` (a C string) in `dirfd`, which was just created. Nothing is followed. */
export function setNodeAttributes(dirfd: number, name: Buffer, header: TarHeader): void {
  if (header.uid !== 0 || header.gid !== 0) lchownat(dirfd, name, header.uid, header.gid);
  if (header.type !== 'symlink') fchmodat(dirfd, name, header.mode);
  if (header.xattrs !== undefined) {
    const path = pathAt(dirfd, name);
    setImageXattrs(header.xattrs, (attribute, value) => lsetxattr(path, attribute, value));
  }
  utimensat(dirfd, name, { seconds: header.mtime, nanoseconds: header.mtimeNs });
}
