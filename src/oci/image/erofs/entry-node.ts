// A tar entry as a node of a layer's tree. Pure.
import { OciError } from '../../error.ts';
import type { TarHeader } from '../tar-entry.ts';
import { isImageXattr, OVERLAY_OPAQUE, OVERLAY_ORIGIN } from '../whiteout.ts';
import type { Attributes, DirectoryNode, LeafNode } from './tree-node.ts';
import { type Xattrs, xattrBytes } from './xattrs.ts';

const NO_XATTRS: Xattrs = new Map();
/** Of a directory that no entry described; as layer-writer.ts makes them. */
export const IMPLIED: Attributes = { mode: 0o755, uid: 0, gid: 0, mtime: 0, mtimeNs: 0, xattrs: NO_XATTRS };

/** A symbolic link of 4096 bytes is more than the kernel reads. */
const LONGEST_TARGET = 4095;
/** Linux's own device numbers have 12 bits of major and 20 of minor. */
const LARGEST_MAJOR = 0xfff;
const LARGEST_MINOR = 0xfffff;

/** What a header says of owner, time and so on, of the attributes only those that are the image's business. */
export function attributesOf({ mode, uid, gid, mtime, mtimeNs, type, xattrs }: TarHeader): Attributes {
  if (xattrs === undefined) return { mode, uid, gid, mtime, mtimeNs, xattrs: NO_XATTRS };
  const kept = new Map([...xattrs].filter(([name]) => isImageXattr(name) && canHave(type, name)));
  for (const [name, value] of kept) checkValue(name, value);
  xattrBytes(kept); // throws when they are too many
  return { mode, uid, gid, mtime, mtimeNs, xattrs: kept };
}

/** Only files and directories have `user.*` ones, and links have no access control list: xattr(7), acl(5). */
function canHave(type: TarHeader['type'], name: string): boolean {
  if (type === 'file' || type === 'directory') return true;
  return !name.startsWith('user.') && !(type === 'symlink' && name.startsWith('system.'));
}

/**
 * What setxattr(2) would refuse: a file with capabilities that are none could not be executed. <linux/capability.h>,
 * struct vfs_cap_data of revisions 2 and 3; <linux/posix_acl_xattr.h>. Throws OciError UNPACK_FAILED.
 */
function checkValue(name: string, value: Buffer): void {
  if (name === 'security.capability') {
    const revision = value.length >= 4 ? value.readUInt8(3) : 0;
    if (!(revision === 2 && value.length === 20) && !(revision === 3 && value.length === 24))
      throw new OciError('UNPACK_FAILED', 'its file capabilities are of no form that Linux knows');
  }
  if (!name.startsWith('system.posix_acl_')) return;
  if (value.length < 4 || value.readUInt32LE(0) !== 2 || value.length % 8 !== 4)
    throw new OciError('UNPACK_FAILED', 'its access control list is of no form that Linux knows');
}

/** Anything but a directory or a hard link. Throws OciError on a link to nothing and on numbers that no device has. */
export function leafOf(header: TarHeader, offset: number): LeafNode {
  const { type, linkname, major, minor, size } = header;
  const attributes = attributesOf(header);
  switch (type) {
    case 'file':
      return { ...attributes, kind: 'file', size, offset, place: undefined };
    case 'symlink':
      if (linkname === '') throw new OciError('TAR_INVALID', 'It is a symbolic link to nothing');
      if (linkname.length > LONGEST_TARGET)
        throw new OciError('UNPACK_FAILED', 'It is a symbolic link that is too long');
      return { ...attributes, mode: 0o777, kind: 'symlink', target: linkname };
    case 'character':
    case 'block':
      if (major > LARGEST_MAJOR || minor > LARGEST_MINOR || major < 0 || minor < 0)
        throw new OciError('UNPACK_FAILED', `It is a device ${major}:${minor}, which Linux cannot have`);
      return { ...attributes, kind: type, major, minor };
    case 'fifo':
      return { ...attributes, kind: 'fifo', major: 0, minor: 0 };
    case 'directory':
    case 'hardlink':
      throw new TypeError(`A ${type} is no leaf`);
  }
}

const OPAQUE_MARK = [OVERLAY_OPAQUE, Buffer.from('y')] as const;
const ORIGIN_MARK = [OVERLAY_ORIGIN, Buffer.alloc(0)] as const;

/**
 * The attributes of a directory with overlayfs's marks. The one of its origin makes overlayfs look for whiteouts in a directory
 * that only this layer has (ovl_dir_is_real).
 */
export function directoryAttributes({ described, opaque, whiteouts }: DirectoryNode): Attributes {
  const said = described ?? IMPLIED;
  if (!opaque && !whiteouts) return said;
  const marks = [...(opaque ? [OPAQUE_MARK] : []), ...(whiteouts ? [ORIGIN_MARK] : [])];
  return { ...said, xattrs: new Map([...said.xattrs, ...marks]) };
}
