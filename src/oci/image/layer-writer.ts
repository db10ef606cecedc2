// Writes the entries of one layer below a directory, in the form that overlayfs expects of a lower directory.
// Must run as root. One writer owns its directory: nobody else may write there meanwhile.
import { cString, linkat, mkdirat, symlinkat } from '../../linux/at.ts';
import { isErrno } from '../../linux/errno.ts';
import type { Fd } from '../../linux/fd.ts';
import { makedev, mknodat, S_IFBLK, S_IFCHR, S_IFIFO } from '../../linux/mknod.ts';
import { OciError } from '../error.ts';
import { DeferredDirectories } from './deferred-directories.ts';
import { entryError } from './entry-error.ts';
import { baseName, entryPath, parentPath, printableName } from './entry-path.ts';
import { LayerDirectories } from './layer-directories.ts';
import { LayerFile } from './layer-file.ts';
import { isSameNode, nodeKind, removeNode } from './layer-node.ts';
import type { LayerSummary } from './layer-output.ts';
import { setNodeAttributes } from './node-attributes.ts';
import type { TarHeader } from './tar-entry.ts';
import type { TarVisitor } from './tar-parser.ts';
import { type Whiteout, whiteoutOf } from './whiteout.ts';

const NODE_TYPES = { character: S_IFCHR, block: S_IFBLK, fifo: S_IFIFO } as const;
/** Restrictive while the layer is being written; the real one comes with the other attributes, at the end. */
const MODE_WHILE_WRITING = 0o700;

export class LayerWriter implements TarVisitor, Disposable {
  readonly #directories: LayerDirectories;
  readonly #deferred = new DeferredDirectories();
  readonly #file: LayerFile;
  /** Of the entry that is being written, for messages. */
  #name = '';
  #entries = 0;
  #sizeBytes = 0;

  /** Takes ownership of `root`, a descriptor of the empty directory. `umask` is that of the process. */
  constructor(root: Fd, umask: number) {
    this.#directories = new LayerDirectories(
      root,
      (parent, path) => void this.#makeDirectory(parent, baseName(path), 'refuse'),
    );
    this.#file = new LayerFile(umask);
    this.#deferred.made('');
  }

  entry(header: TarHeader): void {
    this.#entries++;
    this.#name = header.name;
    try {
      const path = entryPath(header.name);
      const whiteout = whiteoutOf(path);
      if (whiteout === undefined) this.#create(path, header);
      else this.#whiteout(path, whiteout);
    } catch (error) {
      throw entryError(error, this.#name);
    }
  }

  data(bytes: Buffer): void {
    this.#sizeBytes += bytes.length;
    try {
      this.#file.write(bytes);
    } catch (error) {
      throw entryError(error, this.#name);
    }
  }

  end(): void {
    try {
      this.#file.finish();
    } catch (error) {
      throw entryError(error, this.#name);
    }
  }

  /** All entries are written: set what had to wait. */
  finish(): LayerSummary {
    this.#deferred.apply((path) => this.#directories.findExact(path));
    return {
      entries: this.#entries,
      sizeBytes: this.#sizeBytes,
      implied: this.#deferred.implied(),
      opaqueRoot: this.#deferred.isOpaque(''),
    };
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
    this.#directories[Symbol.dispose]();
  }

  #create(path: string, header: TarHeader): void {
    if (path === '') return this.#describeRoot(header);
    const parent = this.#directories.open(parentPath(path));
    const name = cString(baseName(path));
    switch (header.type) {
      case 'file':
        return this.#replacing(parent, name, () => this.#file.create(parent, name, header));
      case 'directory':
        return this.#deferred.describe(this.#makeDirectory(parent, baseName(path), 'replace'), header);
      case 'symlink':
        return this.#symlink(parent, name, header);
      case 'hardlink':
        return this.#hardlink(parent, name, header);
      case 'character':
      case 'block':
      case 'fifo':
        return this.#node(parent, path, header);
    }
  }

  /** The root may only ever be a directory: as a link it would take the whole layer elsewhere (CVE-2021-29136). */
  #describeRoot(header: TarHeader): void {
    if (header.type !== 'directory') throw new OciError('UNSAFE_PATH', `The root of the layer is a ${header.type}`);
    this.#deferred.describe('', header);
  }

  /**
   * A directory that is there stays, with all that is in it. A whiteout in the way means that the directory is new and
   * that what the lower layers have there stays hidden. Anything else is replaced by an entry of its own, and refused
   * when it is only the parent of one. Returns where it is.
   */
  #makeDirectory(parent: number, base: string, inTheWay: 'replace' | 'refuse'): string {
    const name = cString(base);
    const path = this.#pathIn(parent, base);
    try {
      mkdirat(parent, name, MODE_WHILE_WRITING);
      this.#deferred.made(path);
      return path;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    const kind = nodeKind(parent, name);
    if (kind === 'directory') return path;
    if (kind !== 'whiteout' && inTheWay === 'refuse') {
      throw new OciError('TAR_INVALID', `${printableName(path)} is no directory, but an entry lies below it`);
    }
    this.#remove(parent, name);
    mkdirat(parent, name, MODE_WHILE_WRITING);
    this.#deferred.made(path);
    if (kind === 'whiteout') this.#deferred.markOpaque(path);
    return path;
  }

  /** A name in an open directory, as a path without links: links may be gone before the attributes are set. */
  #pathIn(parent: number, name: string): string {
    const above = this.#directories.pathOf(parent);
    return above === '' ? name : `${above}/${name}`;
  }

  #symlink(parent: number, name: Buffer, header: TarHeader): void {
    if (header.linkname === '') throw new OciError('TAR_INVALID', 'It is a symbolic link to nothing');
    const target = cString(header.linkname);
    this.#replacing(parent, name, () => symlinkat(target, parent, name));
    setNodeAttributes(parent, name, header);
  }

  /** The attributes are those of the file that it shares. */
  #hardlink(parent: number, name: Buffer, header: TarHeader): void {
    const path = entryPath(header.linkname);
    using directory = this.#directories.find(parentPath(path));
    const target = cString(baseName(path));
    const kind = path === '' || directory === undefined ? 'missing' : nodeKind(directory.number, target);
    if (directory === undefined || kind === 'missing' || kind === 'directory') {
      const found = kind === 'directory' ? 'is a directory' : 'the layer does not have';
      throw new OciError('TAR_INVALID', `It is a hard link to ${printableName(header.linkname)}, which ${found}`);
    }
    // The same file under the same name: to replace it would be to lose it.
    if (isSameNode(parent, name, directory.number, target)) return;
    this.#replacing(parent, name, () => linkat(directory.number, target, parent, name));
  }

  #node(parent: number, path: string, header: TarHeader): void {
    const { type } = header;
    if (type !== 'character' && type !== 'block' && type !== 'fifo') return;
    // To overlayfs such a device is a whiteout, whatever the archive meant.
    if (type === 'character' && header.major === 0 && header.minor === 0) return this.#hide(parent, baseName(path));
    const name = cString(baseName(path));
    const device = type === 'fifo' ? 0n : makedev(header.major, header.minor);
    this.#replacing(parent, name, () => mknodat(parent, name, NODE_TYPES[type] | (header.mode & 0o777), device));
    setNodeAttributes(parent, name, header);
  }

  #whiteout(path: string, whiteout: Whiteout): void {
    if (whiteout.kind === 'skip') return;
    const parent = this.#directories.open(parentPath(path));
    if (whiteout.kind === 'opaque') return this.#deferred.markOpaque(this.#directories.pathOf(parent));
    this.#hide(parent, whiteout.name);
  }

  /** Whiteouts are about lower layers only: what this layer has at the name stays (image-spec, "Whiteouts"). */
  #hide(parent: number, base: string): void {
    const name = cString(base);
    try {
      mknodat(parent, name, S_IFCHR, 0n);
      this.#deferred.markWhiteouts(this.#directories.pathOf(parent));
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      if (nodeKind(parent, name) === 'directory') this.#deferred.markOpaque(this.#pathIn(parent, base));
    }
  }

  /** Do `create`; when something has the name already, remove that and do it again. */
  #replacing(parent: number, name: Buffer, create: () => void): void {
    try {
      create();
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      this.#remove(parent, name);
      create();
    }
  }

  #remove(parent: number, name: Buffer): void {
    removeNode(parent, name);
    this.#directories.forget();
  }
}
