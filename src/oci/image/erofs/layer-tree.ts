// Puts the entries of a layer's tar together to the tree that extracting them would leave, without touching a disk: the same
// rules as layer-writer.ts has for directories. A later entry replaces an earlier one, whiteouts become overlayfs's marks, and
// nothing leads out of the layer. What an image cannot express, or should not, is a reason to extract the layer instead.
import { OciError } from '../../error.ts';
import { entryError } from '../entry-error.ts';
import { baseName, entryPath, parentPath, printableName } from '../entry-path.ts';
import type { LayerSummary } from '../layer-output.ts';
import type { TarHeader } from '../tar-entry.ts';
import type { TarVisitor } from '../tar-parser.ts';
import { type Whiteout, whiteoutOf } from '../whiteout.ts';
import { attributesOf, IMPLIED, leafOf } from './entry-node.ts';
import { findDirectory } from './find-directory.ts';
import { DirectoryNode, type LeafNode, type TreeNode } from './tree-node.ts';

/** What a tree may take of the memory of the thread that builds it: about 300 bytes a node. */
export const TREE_LIMITS = { nodes: 200_000, xattrBytes: 8 << 20 } as const;
export type TreeLimits = { readonly nodes: number; readonly xattrBytes: number };

/** Push the entries of a tar into it, then look at the rest. */
export class LayerTree implements TarVisitor {
  readonly #limits: TreeLimits;
  #root = new DirectoryNode(undefined);
  #nodes = 0;
  #xattrBytes = 0;
  #entries = 0;
  #sizeBytes = 0;
  #unfit: string | undefined;
  #name = '';
  /** The directory that was looked up last: entries come sorted by directory. */
  #lastPath = '';
  #last = this.#root;

  constructor(limits: TreeLimits = TREE_LIMITS) {
    this.#limits = limits;
  }

  get root(): DirectoryNode {
    return this.#root;
  }

  /** Why the layer has to be extracted; undefined when it need not. The tree is empty then. */
  get unfit(): string | undefined {
    return this.#unfit;
  }

  /** What the layer's record says, when all entries are in. */
  summary(): LayerSummary {
    const { opaque } = this.#root;
    return { entries: this.#entries, sizeBytes: this.#sizeBytes, implied: implied(this.#root), opaqueRoot: opaque };
  }

  entry(header: TarHeader, offset: number): void {
    this.#entries++;
    this.#name = header.name;
    this.#sizeBytes += header.size;
    if (this.#unfit !== undefined) return;
    try {
      const path = entryPath(header.name);
      const whiteout = whiteoutOf(path);
      if (whiteout === undefined) this.#create(path, header, offset);
      else this.#whiteout(path, whiteout);
    } catch (error) {
      throw entryError(error, this.#name);
    }
    for (const [name, value] of header.xattrs ?? []) this.#xattrBytes += name.length + value.length;
    if (this.#nodes > this.#limits.nodes) this.#giveUp(`it has more than ${this.#limits.nodes} files`);
    if (this.#xattrBytes > this.#limits.xattrBytes) this.#giveUp('it has very many extended attributes');
  }

  data(): void {
    // The image refers to it where it is.
  }

  end(): void {
    // Nothing to close.
  }

  /** The kernel shows the rest of a file's last block to whoever maps the file: it has to be zeros. */
  padding(bytes: Buffer): void {
    for (const byte of bytes) if (byte !== 0) return this.#giveUp('there is something between its files');
  }

  #giveUp(why: string): void {
    this.#unfit = why;
    this.#root = new DirectoryNode(undefined);
    this.#forget();
  }

  #create(path: string, header: TarHeader, offset: number): void {
    if (path === '') return this.#describeRoot(header);
    const parent = this.#open(parentPath(path));
    const name = baseName(path);
    if (header.type === 'directory') {
      this.#makeDirectory(parent, name, 'replace').described = attributesOf(header);
    } else if (header.type === 'hardlink') {
      this.#put(parent, name, this.#linked(header.linkname));
    } else if (header.type === 'character' && header.major === 0 && header.minor === 0) {
      // To overlayfs such a device is a whiteout, whatever the archive meant.
      this.#hide(parent, name);
    } else {
      this.#put(parent, name, leafOf(header, offset));
    }
  }

  /** The root may only ever be a directory: as a link it would take the whole layer elsewhere (CVE-2021-29136). */
  #describeRoot(header: TarHeader): void {
    if (header.type !== 'directory') throw new OciError('UNSAFE_PATH', `The root of the layer is a ${header.type}`);
    this.#root.described = attributesOf(header);
  }

  /** The directory at `path`, made with its parents when missing. */
  #open(path: string): DirectoryNode {
    if (path === this.#lastPath) return this.#last;
    const found = findDirectory(this.#root, path);
    if (found === 'loop')
      throw new OciError('UNPACK_FAILED', `${printableName(path)} leads through too many symbolic links`);
    const directory =
      found === 'missing' ? this.#makeDirectory(this.#open(parentPath(path)), baseName(path), 'refuse') : found;
    this.#lastPath = path;
    this.#last = directory;
    return directory;
  }

  /**
   * A directory that is there stays. A whiteout in the way means that the directory is new and that what the lower layers have
   * there stays hidden. Anything else is replaced by an entry of its own, and refused when it is only the parent of one.
   */
  #makeDirectory(parent: DirectoryNode, name: string, inTheWay: 'replace' | 'refuse'): DirectoryNode {
    const found = parent.children.get(name);
    if (found?.kind === 'directory') return found;
    if (found !== undefined && found.kind !== 'whiteout' && inTheWay === 'refuse')
      throw new OciError('TAR_INVALID', `${printableName(name)} is no directory, but an entry lies below it`);
    const made = new DirectoryNode(parent);
    made.opaque = found?.kind === 'whiteout';
    this.#put(parent, name, made);
    return made;
  }

  #linked(linkname: string): LeafNode {
    const path = entryPath(linkname);
    const directory = findDirectory(this.#root, parentPath(path));
    const found = path === '' || typeof directory === 'string' ? undefined : directory.children.get(baseName(path));
    if (found !== undefined && found.kind !== 'directory') return found;
    const what = found === undefined ? 'the layer does not have' : 'is a directory';
    throw new OciError('TAR_INVALID', `It is a hard link to ${printableName(linkname)}, which ${what}`);
  }

  #whiteout(path: string, whiteout: Whiteout): void {
    if (whiteout.kind === 'skip') return;
    const directory = this.#open(parentPath(path));
    if (whiteout.kind === 'opaque') directory.opaque = true;
    else this.#hide(directory, whiteout.name);
  }

  /** Whiteouts are about lower layers only: what this layer has at the name stays (image-spec, "Whiteouts"). */
  #hide(parent: DirectoryNode, name: string): void {
    const found = parent.children.get(name);
    if (found?.kind === 'directory') found.opaque = true;
    if (found !== undefined) return;
    this.#put(parent, name, { ...IMPLIED, mode: 0, kind: 'whiteout' });
    parent.whiteouts = true;
  }

  #put(parent: DirectoryNode, name: string, node: TreeNode): void {
    const found = parent.children.get(name);
    if (found?.kind === 'directory' || found?.kind === 'symlink') this.#forget();
    parent.children.set(name, node);
    this.#nodes++;
  }

  /** A directory or a link is gone: what was looked up may lead elsewhere now. */
  #forget(): void {
    this.#lastPath = '';
    this.#last = this.#root;
  }
}

/** The paths of directories that no entry described. Without recursion: trees may be very deep. */
function implied(root: DirectoryNode): string[] {
  const paths: string[] = [];
  const left: [path: string, directory: DirectoryNode][] = [['', root]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [path, directory] = next;
    if (directory.described === undefined) paths.push(path);
    for (const [name, child] of directory.children)
      if (child.kind === 'directory') left.push([path === '' ? name : `${path}/${name}`, child]);
  }
  return paths;
}
