// The 512-byte header of a tar entry: ustar, v7, GNU and star variants. Pure. POSIX.1-2017 pax(1), GNU tar "Basic Tar
// Format". Names are bytes, held as latin1 strings: tar says nothing of their encoding, and the kernel neither.
import { OciError } from '../error.ts';

export const BLOCK_BYTES = 512;

/** What a header block says by itself, before extended headers change it. */
export type RawTarHeader = {
  readonly name: string;
  /** One character: `0` file, `1` hard link, … `x` and `g` extended headers, `L` and `K` GNU long names. */
  readonly typeflag: string;
  readonly size: number;
  readonly linkname: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, negative before. */
  readonly mtime: number;
  readonly major: number;
  readonly minor: number;
};

/** Whether the block at `offset` is all zeros: two such blocks end an archive. */
export function isZeroBlock(bytes: Buffer, offset: number): boolean {
  for (let index = offset; index < offset + BLOCK_BYTES; index++) if (bytes[index] !== 0) return false;
  return true;
}

/** Decode the block at `offset` of `bytes`. Throws OciError TAR_INVALID on a wrong checksum or number. */
export function parseTarHeader(bytes: Buffer, offset: number): RawTarHeader {
  verifyChecksum(bytes, offset);
  const ustar = bytes.toString('latin1', offset + 257, offset + 263) === 'ustar\0';
  const gnu = bytes.toString('latin1', offset + 257, offset + 265) === 'ustar  \0';
  const name = text(bytes, offset, 100);
  const prefix = ustar ? text(bytes, offset + 345, isStar(bytes, offset) ? 131 : 155) : '';
  const hasDevice = ustar || gnu;
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    typeflag: String.fromCharCode(bytes[offset + 156] ?? 0),
    size: number(bytes, offset + 124, 12, 'size'),
    linkname: text(bytes, offset + 157, 100),
    mode: number(bytes, offset + 100, 8, 'mode'),
    uid: number(bytes, offset + 108, 8, 'uid'),
    gid: number(bytes, offset + 116, 8, 'gid'),
    mtime: number(bytes, offset + 136, 12, 'mtime'),
    major: hasDevice ? number(bytes, offset + 329, 8, 'devmajor') : 0,
    minor: hasDevice ? number(bytes, offset + 337, 8, 'devminor') : 0,
  };
}

/** star keeps two times where ustar has the end of the prefix, and says so in the last four bytes. */
function isStar(bytes: Buffer, offset: number): boolean {
  return bytes.toString('latin1', offset + 508, offset + 512) === 'tar\0';
}

function text(bytes: Buffer, start: number, width: number): string {
  let end = start;
  while (end < start + width && bytes[end] !== 0) end++;
  return bytes.toString('latin1', start, end);
}

/** The sum of all bytes with the checksum field as spaces; old tars summed signed bytes. */
function verifyChecksum(bytes: Buffer, offset: number): void {
  let unsigned = 8 * 0x20;
  let high = 0;
  for (let index = offset; index < offset + BLOCK_BYTES; index++) {
    const byte = bytes[index] ?? 0;
    unsigned += byte;
    high += byte >> 7;
  }
  for (let index = offset + 148; index < offset + 156; index++) {
    const byte = bytes[index] ?? 0;
    unsigned -= byte;
    high -= byte >> 7;
  }
  const said = number(bytes, offset + 148, 8, 'checksum');
  if (said === unsigned || said === unsigned - 256 * high) return;
  throw new OciError(
    'TAR_INVALID',
    `A tar header is damaged: its checksum is ${said}, the sum of its bytes ${unsigned}`,
  );
}

/** Octal digits between blanks, or base 256 when the first bit is set. Throws on anything else. */
function number(bytes: Buffer, start: number, width: number, field: string): number {
  if (((bytes[start] ?? 0) & 0x80) !== 0) return base256(bytes, start, width, field);
  let index = start;
  const end = start + width;
  while (index < end && bytes[index] === 0x20) index++;
  let value = 0;
  for (; index < end; index++) {
    const digit = (bytes[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; index < end; index++) if (bytes[index] !== 0 && bytes[index] !== 0x20) throw badNumber(field);
  return value;
}

/** GNU's big-endian two's complement: the first bit marks the encoding, the second is the sign. */
function base256(bytes: Buffer, start: number, width: number, field: string): number {
  const first = bytes[start] ?? 0;
  const negative = (first & 0x40) !== 0;
  let value = negative ? (first | 0x80) - 256 : first & 0x3f;
  for (let index = start + 1; index < start + width; index++) value = value * 256 + (bytes[index] ?? 0);
  if (!Number.isSafeInteger(value)) throw badNumber(field);
  return value;
}

function badNumber(field: string): OciError {
  return new OciError('TAR_INVALID', `A tar header is damaged: its ${field} is not a number`);
}
