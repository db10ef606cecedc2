// Reads an EROFS image back, written from the format's description (Linux Documentation/filesystems/erofs.rst) and not from the
// writer: everything that is in it, by path.
export type ReadNode = {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: bigint;
  readonly mtimeNs: number;
  readonly links: number;
  readonly number: number;
  /** Of a file: its content. Of a link: its target. Bytes as latin1. */
  readonly data: string | undefined;
  /** Of a device, as the kernel encodes it. */
  readonly device: number | undefined;
  readonly xattrs: Readonly<Record<string, string>>;
};

const PREFIXES: Readonly<Record<number, string>> = {
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  4: 'trusted.',
  6: 'security.',
};

/** All nodes of `image`, whose data is in `tar`. Throws Error on whatever the format does not allow. */
export function readImage(image: Buffer, tar: Buffer): Map<string, ReadNode> {
  return new ImageReader(image, tar).readAll();
}

class ImageReader {
  readonly #image: Buffer;
  readonly #tar: Buffer;
  readonly #block: number;

  constructor(image: Buffer, tar: Buffer) {
    this.#image = image;
    this.#tar = tar;
    require(image.readUInt32LE(1024) === 0xe0f5e1e2, 'the magic number');
    this.#block = 1 << image.readUInt8(1036);
    require(this.#block === 512, 'blocks of 512 bytes');
    require(image.length === image.readUInt32LE(1060) * this.#block, 'the number of blocks');
    require(image.readUInt32LE(1104) === 8 && image.readUInt16LE(1110) === 1, 'one extra device');
    const slot = image.readUInt16LE(1112) * 128;
    require(image.readUInt32LE(slot + 68) ===
      image.readUInt32LE(1060), 'addresses of the device after those of the image');
    require(image.readUInt32LE(slot + 64) * this.#block >= tar.length, 'the size of the device');
    require(image.subarray(1072, 1088).some((byte) => byte !== 0), 'a UUID');
  }

  readAll(): Map<string, ReadNode> {
    const found = new Map<string, ReadNode>();
    const root = this.#image.readUInt16LE(1038) * 32;
    const left: [path: string, at: number, parent: number][] = [['', root, root]];
    const inodes = new Set<number>();
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const [path, at, parent] = next;
      const node = this.#node(at);
      inodes.add(at);
      found.set(path, node);
      if ((node.mode & 0o170000) !== 0o040000) continue;
      for (const { name, child, type } of this.#entries(at)) {
        if (name === '.') require(child === at, `. of ${path}`);
        else if (name === '..') require(child === parent, `.. of ${path}`);
        else {
          require(type === typeOf(this.#image.readUInt16LE(child + 4)), `the type of ${name}`);
          left.push([path === '' ? name : `${path}/${name}`, child, at]);
        }
      }
    }
    require(this.#image.readBigUInt64LE(1040) === BigInt(inodes.size), 'the number of inodes');
    return found;
  }

  #node(at: number): ReadNode {
    const image = this.#image;
    const mode = image.readUInt16LE(at + 4);
    const kind = mode & 0o170000;
    require((image.readUInt16LE(at) & 1) === 1, 'an extended inode');
    const isDevice = kind === 0o020000 || kind === 0o060000;
    return {
      mode,
      uid: image.readUInt32LE(at + 24),
      gid: image.readUInt32LE(at + 28),
      mtime: image.readBigInt64LE(at + 32),
      mtimeNs: image.readUInt32LE(at + 40),
      links: image.readUInt32LE(at + 44),
      number: image.readUInt32LE(at + 20),
      data: kind === 0o100000 || kind === 0o120000 ? this.#data(at).toString('latin1') : undefined,
      device: isDevice ? image.readUInt32LE(at + 16) : undefined,
      xattrs: this.#xattrs(at),
    };
  }

  #xattrBytes(at: number): number {
    const count = this.#image.readUInt16LE(at + 2);
    return count === 0 ? 0 : 12 + 4 * (count - 1);
  }

  #data(at: number): Buffer {
    const layout = this.#image.readUInt16LE(at) >> 1;
    const size = Number(this.#image.readBigUInt64LE(at + 8));
    const start = this.#image.readUInt32LE(at + 16) * this.#block;
    require(layout === 0 || layout === 2, 'a layout of plain or inline data');
    const tail = layout === 2 ? size % this.#block : 0;
    const tailAt = at + 64 + this.#xattrBytes(at);
    if (tail > 0)
      require(Math.floor(tailAt / this.#block) ===
        Math.floor((tailAt + tail - 1) / this.#block), 'a tail in one block');
    return Buffer.concat([this.#range(start, size - tail), this.#image.subarray(tailAt, tailAt + tail)]);
  }

  /** Addresses beyond the image are in the tar. */
  #range(start: number, size: number): Buffer {
    if (size === 0) return Buffer.alloc(0);
    const [from, at] = start < this.#image.length ? [this.#image, start] : [this.#tar, start - this.#image.length];
    require(at + size <= from.length, 'data within its device');
    return from.subarray(at, at + size);
  }

  *#entries(at: number): Generator<{ readonly name: string; readonly child: number; readonly type: number }> {
    const data = this.#data(at);
    let before = '';
    for (let start = 0; start < data.length; start += this.#block) {
      const block = data.subarray(start, start + this.#block);
      const count = block.readUInt16LE(8) / 12;
      for (let index = 0; index < count; index++) {
        const nameAt = block.readUInt16LE(index * 12 + 8);
        const end = index + 1 < count ? block.readUInt16LE(index * 12 + 20) : endOfName(block, nameAt);
        const name = block.toString('latin1', nameAt, end);
        require(before < name, `${name} after ${before}`);
        before = name;
        yield { name, child: Number(block.readBigUInt64LE(index * 12)) * 32, type: block.readUInt8(index * 12 + 10) };
      }
    }
  }

  #xattrs(at: number): Record<string, string> {
    const found: Record<string, string> = {};
    const end = at + 64 + this.#xattrBytes(at);
    for (let entry = at + 76; entry < end;) {
      const nameBytes = this.#image.readUInt8(entry);
      const valueBytes = this.#image.readUInt16LE(entry + 2);
      const prefix = PREFIXES[this.#image.readUInt8(entry + 1)] ?? '?';
      const name = prefix + this.#image.toString('latin1', entry + 4, entry + 4 + nameBytes);
      found[name] = this.#image.toString('latin1', entry + 4 + nameBytes, entry + 4 + nameBytes + valueBytes);
      entry += Math.ceil((4 + nameBytes + valueBytes) / 4) * 4;
    }
    return found;
  }
}

function endOfName(block: Buffer, nameAt: number): number {
  const zero = block.indexOf(0, nameAt);
  return zero < 0 ? block.length : zero;
}

function typeOf(mode: number): number {
  return { 8: 1, 4: 2, 2: 3, 6: 4, 1: 5, 12: 6, 10: 7 }[mode >> 12] ?? 0;
}

function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The image is not valid: ${what}`);
}
