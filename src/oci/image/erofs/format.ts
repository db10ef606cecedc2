// The parts of an EROFS image on disk, little endian: superblock, device slot, inodes, directory blocks. Pure.
// Linux fs/erofs/erofs_fs.h and Documentation/filesystems/erofs.rst. What is written here is the least that describes a tar:
// blocks of 512 bytes, extended inodes, file data on one extra device, nothing compressed and nothing shared.

/** The unit of the image's addresses, and of a tar: so a file's data in the tar begins at a block. */
export const BLOCK_BYTES = 512;
/** Inodes are numbered by their place in units of 32 bytes. */
export const SLOT_BYTES = 32;
export const INODE_BYTES = 64;
export const DIRENT_BYTES = 12;

const SUPERBLOCK_AT = 1024;
const DEVICE_SLOT_AT = 1152;
const DEVICE_SLOT_BYTES = 128;
/** Superblock, device slot, and from here on inodes. */
export const FIRST_INODE_AT = 1280;

const WORD = 2 ** 32;

const MAGIC = 0xe0f5e1e2;
const COMPAT_MTIME = 0x2;
const INCOMPAT_DEVICE_TABLE = 0x8;

/** Where a file's data lies: in blocks of its own, or the end of it right behind its inode. */
export const LAYOUT_PLAIN = 0;
export const LAYOUT_INLINE = 2;

export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_IFDIR = 0o040000;
export const S_IFBLK = 0o060000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;

/** What a directory says of the kind of an entry (erofs_file_type). */
const FILE_TYPES: ReadonlyMap<number, number> = new Map([
  [S_IFREG, 1],
  [S_IFDIR, 2],
  [S_IFCHR, 3],
  [S_IFBLK, 4],
  [S_IFIFO, 5],
  [S_IFLNK, 7],
]);

export type Superblock = {
  /** Where the root's inode is: within the first 2 MiB, as its number has 16 bits. */
  readonly rootAt: number;
  readonly inodes: number;
  /** Of the image. */
  readonly blocks: number;
  /** Of the tar, whose addresses begin where those of the image end. */
  readonly deviceBlocks: number;
  /** 16 bytes that are not all zero: overlayfs tells file systems apart by them. */
  readonly uuid: Buffer;
};

/** Write the superblock (struct erofs_super_block) and the one device slot (struct erofs_deviceslot). */
export function writeSuperblock(image: Buffer, superblock: Superblock): void {
  const { rootAt, inodes, blocks, deviceBlocks, uuid } = superblock;
  image.writeUInt32LE(MAGIC, SUPERBLOCK_AT);
  image.writeUInt32LE(COMPAT_MTIME, SUPERBLOCK_AT + 8);
  image.writeUInt8(Math.log2(BLOCK_BYTES), SUPERBLOCK_AT + 12);
  image.writeUInt16LE(rootAt / SLOT_BYTES, SUPERBLOCK_AT + 14);
  image.writeBigUInt64LE(BigInt(inodes), SUPERBLOCK_AT + 16);
  image.writeUInt32LE(blocks, SUPERBLOCK_AT + 36);
  uuid.copy(image, SUPERBLOCK_AT + 48, 0, 16);
  image.writeUInt32LE(INCOMPAT_DEVICE_TABLE, SUPERBLOCK_AT + 80);
  image.writeUInt16LE(1, SUPERBLOCK_AT + 86); // extra devices
  image.writeUInt16LE(DEVICE_SLOT_AT / DEVICE_SLOT_BYTES, SUPERBLOCK_AT + 88);
  image.writeUInt32LE(deviceBlocks, DEVICE_SLOT_AT + 64);
  image.writeUInt32LE(blocks, DEVICE_SLOT_AT + 68); // the first address
}

export type Inode = {
  /** Type and permissions. */
  readonly mode: number;
  readonly layout: typeof LAYOUT_PLAIN | typeof LAYOUT_INLINE;
  readonly xattrBytes: number;
  readonly size: number;
  /** The first block of the data, or the number of a device. */
  readonly address: number;
  readonly number: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly mtimeNs: number;
  readonly links: number;
};

/**
 * Write an inode (struct erofs_inode_extended) at `at`, a multiple of 32 bytes. `words`: the image in units of 4 bytes. An image
 * of a hundred thousand files is one burst of work, so whole words are written.
 */
export function writeInode(words: Uint32Array, at: number, inode: Inode): void {
  const word = at / 4;
  words[word] = 1 | (inode.layout << 1) | (xattrCount(inode.xattrBytes) << 16);
  words[word + 1] = inode.mode;
  words[word + 2] = inode.size % WORD;
  words[word + 3] = inode.size / WORD;
  words[word + 4] = inode.address;
  words[word + 5] = inode.number;
  words[word + 6] = inode.uid;
  words[word + 7] = inode.gid;
  words[word + 8] = inode.mtime % WORD; // negative ones are stored as two's complement, as everywhere in these arrays
  words[word + 9] = Math.floor(inode.mtime / WORD);
  words[word + 10] = inode.mtimeNs;
  words[word + 11] = inode.links;
}

/** i_xattr_icount: the header counts as one, its entries in units of 4 bytes. */
function xattrCount(bytes: number): number {
  return bytes === 0 ? 0 : 1 + (bytes - 12) / 4;
}

/** Linux's 32-bit device number (new_encode_dev). */
export function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** The same memory twice. */
export type ImageMemory = { readonly bytes: Buffer; readonly words: Uint32Array };

export type Dirent = { readonly name: string; readonly inodeAt: number; readonly mode: number };

/**
 * Write entries as a block of a directory at `at`, a multiple of 4 bytes: first all the numbers (struct erofs_dirent), then the
 * names, one after the other. The caller has made sure that they fit.
 */
export function writeDirents({ bytes, words }: ImageMemory, at: number, entries: readonly Dirent[]): void {
  const namesAt = entries.length * DIRENT_BYTES;
  let names = '';
  let word = at / 4;
  for (const { name, inodeAt, mode } of entries) {
    words[word] = inodeAt / SLOT_BYTES;
    words[word + 2] = (namesAt + names.length) | ((FILE_TYPES.get(mode & 0o170000) ?? 0) << 16);
    names += name;
    word += DIRENT_BYTES / 4;
  }
  bytes.write(names, at + namesAt, 'latin1');
}
