// Tars for tests, also such as no honest program writes.
import { formatPax } from '../../../src/oci/image/tar-pax.ts';

export type TestEntry = {
  readonly name: string;
  /** One character, as in the header; `5` for directories. Default: a file. */
  readonly type?: string;
  readonly body?: string | Uint8Array;
  readonly linkname?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  /** In the header instead of the length of the body. */
  readonly size?: number;
  /** Records of an extended header before the entry; values are bytes as latin1. */
  readonly pax?: Readonly<Record<string, string>>;
  /** `ustar\0` + `00`, or GNU's `ustar  \0`. */
  readonly magic?: string;
};

/** A whole archive, or with `end: false` one without the two blocks of zeros. */
export function tarBytes(entries: readonly TestEntry[], { end = true }: { readonly end?: boolean } = {}): Buffer {
  return Buffer.concat([...entries.flatMap(entryBytes), ...(end ? [Buffer.alloc(1024)] : [])]);
}

function entryBytes(entry: TestEntry): Buffer[] {
  const { pax, body = '' } = entry;
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : Buffer.from(body);
  const own = [headerBlock(entry, entry.size ?? bytes.length), bytes, padding(bytes.length)];
  if (pax === undefined) return own;
  const records = formatPax(new Map(Object.entries(pax)));
  return [headerBlock({ name: 'pax', type: 'x' }, records.length), records, padding(records.length), ...own];
}

function padding(length: number): Buffer {
  return Buffer.alloc((512 - (length % 512)) % 512);
}

/** A header block alone. Numbers that octal digits cannot hold are written in base 256. */
export function headerBlock(entry: TestEntry, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(entry.name, 0, 100, 'latin1');
  number(block, 100, 8, entry.mode ?? 0o644);
  number(block, 108, 8, entry.uid ?? 0);
  number(block, 116, 8, entry.gid ?? 0);
  number(block, 124, 12, size);
  number(block, 136, 12, entry.mtime ?? 0);
  block.write(entry.type ?? '0', 156, 1, 'latin1');
  block.write(entry.linkname ?? '', 157, 100, 'latin1');
  block.write(entry.magic ?? 'ustar\u000000', 257, 8, 'latin1');
  number(block, 329, 8, entry.major ?? 0);
  number(block, 337, 8, entry.minor ?? 0);
  return withChecksum(block);
}

/** Write the right checksum into a header block. */
export function withChecksum(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return block;
}

function number(block: Buffer, offset: number, width: number, value: number): void {
  if (value >= 0 && value < 8 ** (width - 1)) {
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset, width, 'latin1');
    return;
  }
  let rest = BigInt.asUintN(width * 8, BigInt(value));
  for (let index = offset + width - 1; index >= offset; index--, rest >>= 8n) block[index] = Number(rest & 0xffn);
  block[offset] = (value < 0 ? 0xff : 0x80) | 0;
}
