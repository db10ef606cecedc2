// The archive that Linux takes as its first file system (Documentation/driver-api/early-userspace/buffer-format.rst): "newc".
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** One file of the archive. `mode` has the type bits of stat(2). A file's bytes come from memory or from a file of this machine. */
export type CpioEntry = {
  readonly mode: number;
  readonly data?: Buffer;
  readonly source?: string;
};

export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;

const MAGIC = '070701';
const TRAILER = 'TRAILER!!!';
const ALIGNMENT = 4;

/** Write the entries, by absolute path, to `file`. All belong to root. A directory must come before what is in it. */
export function writeCpio(file: string, entries: ReadonlyMap<string, CpioEntry>): void {
  const fd = openSync(file, 'w', 0o600);
  try {
    let inode = 1;
    for (const [path, entry] of entries) {
      const data = entry.data ?? (entry.source === undefined ? Buffer.alloc(0) : readFileSync(entry.source));
      writeAll(fd, cpioHeader(path.slice(1), { inode: inode++, mode: entry.mode, size: data.length }));
      writeAll(fd, padded(data));
    }
    writeAll(fd, cpioHeader(TRAILER, { inode: 0, mode: 0, size: 0 }));
  } finally {
    closeSync(fd);
  }
}

type Header = { readonly inode: number; readonly mode: number; readonly size: number };

/** Thirteen fields of eight hexadecimal digits, the name and its end, up to a multiple of four bytes. Pure. */
export function cpioHeader(name: string, { inode, mode, size }: Header): Buffer {
  const nameSize = Buffer.byteLength(name) + 1;
  const [uid, gid, links, modified, major, minor, deviceMajor, deviceMinor, checksum] = [0, 0, 1, 0, 0, 0, 0, 0, 0];
  const fields = [
    inode,
    mode,
    uid,
    gid,
    links,
    modified,
    size,
    major,
    minor,
    deviceMajor,
    deviceMinor,
    nameSize,
    checksum,
  ];
  const digits = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  return padded(Buffer.from(`${MAGIC}${digits}${name}\0`));
}

function padded(bytes: Buffer): Buffer {
  const rest = bytes.length % ALIGNMENT;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(ALIGNMENT - rest)]);
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
}
