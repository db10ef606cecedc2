// What a layer's tar amounts to, in memory: nodes that an EROFS image is made of.
import type { Placed } from './placement.ts';
import type { Xattrs } from './xattrs.ts';

/** Where a node goes in an image that is being made: see placement.ts. */
type Placeable = { place?: Placed | undefined };

export type Attributes = {
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly mtimeNs: number;
  readonly xattrs: Xattrs;
};

export type FileNode = Attributes &
  Placeable & {
    readonly kind: 'file';
    readonly size: number;
    /** Where its data begins in the tar, in bytes: a multiple of 512. */
    readonly offset: number;
  };
/** `target`: bytes as latin1. */
export type SymlinkNode = Attributes & Placeable & { readonly kind: 'symlink'; readonly target: string };
export type DeviceNode = Attributes &
  Placeable & {
    readonly kind: 'character' | 'block' | 'fifo';
    readonly major: number;
    readonly minor: number;
  };
/** Overlayfs's mark of a name that is gone: a character device 0:0. */
export type WhiteoutNode = Attributes & Placeable & { readonly kind: 'whiteout' };

export type LeafNode = FileNode | SymlinkNode | DeviceNode | WhiteoutNode;

export class DirectoryNode {
  readonly kind = 'directory';
  /** The directory above; of the root, itself. */
  readonly parent: DirectoryNode;
  /** By name, bytes as latin1. */
  readonly children = new Map<string, TreeNode>();
  /** Undefined: no entry described the directory, it is only implied. */
  described: Attributes | undefined;
  /** Nothing of the lower layers shows in it. */
  opaque = false;
  /** It holds whiteouts. */
  whiteouts = false;
  place: Placed | undefined = undefined;

  constructor(parent: DirectoryNode | undefined) {
    this.parent = parent ?? this;
  }
}

export type TreeNode = DirectoryNode | LeafNode;
