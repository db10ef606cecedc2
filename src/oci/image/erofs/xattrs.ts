// Extended attributes as they stand behind an inode of an EROFS image. Pure. Linux fs/erofs/xattr.h.
import { OciError } from '../../error.ts';

/** Attributes by full name, as bytes. */
export type Xattrs = ReadonlyMap<string, Buffer>;

const HEADER_BYTES = 12;
const ENTRY_BYTES = 4;
const LONGEST_NAME = 255;
const LONGEST_VALUE = 65535;
/** What the inode's counter of 4-byte units can say. */
const MOST_BYTES = 65534 * 4;

/** What a name begins with is a number on disk (erofs_xattr_prefix); the ACLs have one for the whole name. */
const PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ['user.', 1],
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['trusted.', 4],
  ['security.', 6],
];

/** Bytes that `writeXattrs` takes; 0 when there are none. Throws OciError UNPACK_FAILED on what the format cannot hold. */
export function xattrBytes(xattrs: Xattrs): number {
  if (xattrs.size === 0) return 0;
  let bytes = HEADER_BYTES;
  for (const [name, value] of xattrs) bytes += entryBytes(name, value);
  if (bytes <= MOST_BYTES) return bytes;
  throw new OciError('UNPACK_FAILED', `its extended attributes take ${bytes} bytes, more than ${MOST_BYTES}`);
}

/** Write the attributes at `at`, behind their inode. */
export function writeXattrs(image: Buffer, at: number, xattrs: Xattrs): void {
  let entryAt = at + HEADER_BYTES;
  for (const [name, value] of xattrs) {
    const { index, rest } = split(name);
    image.writeUInt8(rest.length, entryAt);
    image.writeUInt8(index, entryAt + 1);
    image.writeUInt16LE(value.length, entryAt + 2);
    image.write(rest, entryAt + ENTRY_BYTES, 'latin1');
    value.copy(image, entryAt + ENTRY_BYTES + rest.length);
    entryAt += entryBytes(name, value);
  }
}

function entryBytes(name: string, value: Buffer): number {
  const { rest } = split(name);
  if (rest.length > LONGEST_NAME || value.length > LONGEST_VALUE)
    throw new OciError('UNPACK_FAILED', `its extended attribute ${JSON.stringify(name.slice(0, 300))} is too long`);
  return Math.ceil((ENTRY_BYTES + rest.length + value.length) / 4) * 4;
}

function split(name: string): { readonly index: number; readonly rest: string } {
  for (const [prefix, index] of PREFIXES)
    if (name.startsWith(prefix)) return { index, rest: name.slice(prefix.length) };
  throw new OciError('UNPACK_FAILED', `its extended attribute ${JSON.stringify(name)} is of no kind that Linux knows`);
}
