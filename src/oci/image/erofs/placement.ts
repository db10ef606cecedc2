// Where everything of an EROFS image goes: inodes one behind the other, with what fits behind them, then whole blocks of
// directories and long links. Pure.
import { directoryAttributes } from './entry-node.ts';
import { BLOCK_BYTES, DIRENT_BYTES, FIRST_INODE_AT, INODE_BYTES, SLOT_BYTES } from './format.ts';
import type { Attributes, DirectoryNode, LeafNode, TreeNode } from './tree-node.ts';
import { xattrBytes } from './xattrs.ts';

/** The kernel's page size may be larger than a block: images are made of whole pages of 4 KiB. */
const PAGE_BYTES = 4096;
/** Larger ends are given a block of their own: with an inode in the block there may be no place where they fit. */
const LARGEST_TAIL = 440;

export type Entry = { readonly name: string; readonly node: TreeNode };

/** A block of a directory: entries in the order of the bytes of their names, the last block perhaps not full. */
export type DirectoryBlock = readonly Entry[];

export type Placed = {
  readonly node: TreeNode;
  readonly attributes: Attributes;
  readonly xattrBytes: number;
  /** Bytes of the data: of a directory's blocks, of a link's target, of a file. */
  readonly size: number;
  /** Of a directory; else empty. */
  readonly blocks: readonly DirectoryBlock[];
  /** Whether the end of the data lies behind the inode. */
  readonly inline: boolean;
  /** In the list of all. */
  index: number;
  /** In bytes from the start of the image. */
  at: number;
  /** The first block of the data within the image; 0 when there is none. */
  dataBlock: number;
  links: number;
};

export type Placement = {
  /** In the order of their places, the root first; each node once, however many names it has. */
  readonly placed: readonly Placed[];
  readonly blocks: number;
};

/** Find a place for each node of the tree: `place` of the node, until it is placed anew. */
export function placeTree(root: DirectoryNode): Placement {
  const placed = collect(root);
  let end = FIRST_INODE_AT;
  for (const one of placed) {
    one.at = inodePlace(end, one);
    end = align(one.at + INODE_BYTES + one.xattrBytes + tailBytes(one), SLOT_BYTES);
  }
  let block = Math.ceil(end / BLOCK_BYTES);
  for (const one of placed) {
    const whole = blocksOutside(one);
    if (whole > 0) one.dataBlock = block;
    block += whole;
  }
  return { placed, blocks: align(block, PAGE_BYTES / BLOCK_BYTES) };
}

/** All nodes, a directory before what is in it, and how many names each has. Without recursion: trees may be very deep. */
function collect(root: DirectoryNode): Placed[] {
  const placed: Placed[] = [];
  const add = (node: TreeNode, place: Placed): void => {
    place.index = placed.length;
    node.place = place;
    placed.push(place);
  };
  const left: DirectoryNode[] = [root];
  add(root, placeOfDirectory(root));
  for (let directory = left.pop(); directory !== undefined; directory = left.pop()) {
    for (const child of directory.children.values()) {
      if (child.kind === 'directory') {
        add(child, placeOfDirectory(child));
        left.push(child);
        // A second name of what has a place already in this list.
      } else if (child.place !== undefined && placed[child.place.index] === child.place) child.place.links++;
      else add(child, placeOfLeaf(child));
    }
  }
  return placed;
}

function placeOfDirectory(node: DirectoryNode): Placed {
  const attributes = directoryAttributes(node);
  const { blocks, size } = splitDirectory(node);
  const tail = size % BLOCK_BYTES;
  let links = 2;
  for (const child of node.children.values()) if (child.kind === 'directory') links++;
  const inline = tail > 0 && tail <= LARGEST_TAIL;
  return {
    node,
    attributes,
    xattrBytes: xattrBytes(attributes.xattrs),
    size,
    blocks,
    inline,
    links,
    index: 0,
    at: 0,
    dataBlock: 0,
  };
}

function placeOfLeaf(node: LeafNode): Placed {
  const size = node.kind === 'file' ? node.size : node.kind === 'symlink' ? node.target.length : 0;
  const inline = node.kind === 'symlink' && size <= LARGEST_TAIL;
  const bytes = xattrBytes(node.xattrs);
  return {
    node,
    attributes: node,
    xattrBytes: bytes,
    size,
    blocks: [],
    inline,
    links: 1,
    index: 0,
    at: 0,
    dataBlock: 0,
  };
}

/** Entries, `.` and `..` among them, in the order of their bytes, as many to a block as fit. */
function splitDirectory(directory: DirectoryNode): { readonly blocks: DirectoryBlock[]; readonly size: number } {
  // Names are latin1, so that the order of characters is that of bytes.
  const names = ['.', '..', ...directory.children.keys()].sort();
  const blocks: Entry[][] = [];
  let block: Entry[] = [];
  let filled = 0;
  for (const name of names) {
    const bytes = DIRENT_BYTES + name.length;
    if (filled + bytes > BLOCK_BYTES) {
      blocks.push(block);
      block = [];
      filled = 0;
    }
    block.push({ name, node: namedIn(directory, name) });
    filled += bytes;
  }
  const size = blocks.length * BLOCK_BYTES + filled;
  return { blocks: [...blocks, block], size };
}

function namedIn(directory: DirectoryNode, name: string): TreeNode {
  const found = directory.children.get(name);
  return found ?? (name === '..' ? directory.parent : directory);
}

/** The next place for an inode: what is inline must not cross the border of a block. */
function inodePlace(from: number, placed: Placed): number {
  const tail = tailBytes(placed);
  if (tail === 0) return from;
  let at = from;
  while (((at + INODE_BYTES + placed.xattrBytes) % BLOCK_BYTES) + tail > BLOCK_BYTES) at += SLOT_BYTES;
  return at;
}

function tailBytes({ size, inline }: Placed): number {
  return inline ? size % BLOCK_BYTES : 0;
}

/** Blocks of the image that hold data of the node; a file's are in the tar. */
function blocksOutside({ node, size, inline }: Placed): number {
  if (node.kind !== 'directory' && node.kind !== 'symlink') return 0;
  return inline ? Math.floor(size / BLOCK_BYTES) : Math.ceil(size / BLOCK_BYTES);
}

function align(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
