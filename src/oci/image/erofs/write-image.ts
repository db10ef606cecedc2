// An EROFS image of a layer's tree: only names and attributes, with the files' data where they are, in the layer's tar. Pure.
import {
  BLOCK_BYTES,
  deviceNumber,
  type Dirent,
  INODE_BYTES,
  LAYOUT_INLINE,
  LAYOUT_PLAIN,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  writeDirents,
  writeInode,
  writeSuperblock,
} from './format.ts';
import { type Entry, type Placed, type Placement, placeTree } from './placement.ts';
import type { DirectoryNode } from './tree-node.ts';
import { writeXattrs } from './xattrs.ts';

const TYPES = {
  directory: S_IFDIR,
  file: S_IFREG,
  symlink: S_IFLNK,
  character: S_IFCHR,
  block: S_IFBLK,
  fifo: S_IFIFO,
  whiteout: S_IFCHR,
} as const;

export type ImageOptions = {
  /** Of the tar that the files' data is in. */
  readonly tarBytes: number;
  /** 16 bytes, another for each layer. */
  readonly uuid: Buffer;
};

/** The image, to be mounted with the tar as its only extra device. */
export function writeImage(root: DirectoryNode, { tarBytes, uuid }: ImageOptions): Buffer {
  const { placed, blocks } = placeTree(root);
  // Little endian, as all machines are that berth runs on.
  const words = new Uint32Array((blocks * BLOCK_BYTES) / 4);
  const bytes = Buffer.from(words.buffer);
  const deviceBlocks = Math.ceil(tarBytes / BLOCK_BYTES);
  writeSuperblock(bytes, { rootAt: root.place?.at ?? 0, inodes: placed.length, blocks, deviceBlocks, uuid });
  const image = { bytes, words, placed, blocks };
  let number = 0;
  for (const each of placed) writeNode(image, each, ++number);
  return bytes;
}

type Image = Placement & { readonly bytes: Buffer; readonly words: Uint32Array };

function writeNode(image: Image, placed: Placed, number: number): void {
  const { node, attributes, xattrBytes, size, inline, at, links } = placed;
  const { mode, uid, gid, mtime, mtimeNs, xattrs } = attributes;
  const layout = inline ? LAYOUT_INLINE : LAYOUT_PLAIN;
  const address = addressOf(placed, image.blocks);
  const kind = { mode: TYPES[node.kind] | mode, layout, address } as const;
  writeInode(image.words, at, { ...kind, xattrBytes, size, number, uid, gid, mtime, mtimeNs, links });
  if (xattrBytes > 0) writeXattrs(image.bytes, at + INODE_BYTES, xattrs);
  const tailAt = at + INODE_BYTES + xattrBytes;
  if (node.kind === 'directory') writeDirectory(image, placed, tailAt);
  else if (node.kind === 'symlink')
    image.bytes.write(node.target, inline ? tailAt : placed.dataBlock * BLOCK_BYTES, 'latin1');
}

/** Addresses of the tar follow those of the image. */
function addressOf({ node, dataBlock }: Placed, imageBlocks: number): number {
  if (node.kind === 'file') return node.size === 0 ? 0 : imageBlocks + node.offset / BLOCK_BYTES;
  if (node.kind === 'character' || node.kind === 'block') return deviceNumber(node.major, node.minor);
  return dataBlock;
}

function writeDirectory({ bytes, words }: Image, placed: Placed, tailAt: number): void {
  placed.blocks.forEach((entries, index) => {
    const isTail = placed.inline && index === placed.blocks.length - 1;
    const at = isTail ? tailAt : (placed.dataBlock + index) * BLOCK_BYTES;
    writeDirents({ bytes, words }, at, entries.map(direntOf));
  });
}

function direntOf({ name, node }: Entry): Dirent {
  return { name, inodeAt: node.place?.at ?? 0, mode: TYPES[node.kind] };
}
