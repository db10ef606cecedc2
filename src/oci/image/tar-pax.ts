// PAX extended headers: `<length> <key>=<value>\n` records that override fields of an entry. Pure.
// POSIX.1-2017 pax(1) "pax Extended Header"; SCHILY.xattr.* (star, GNU, Go), LIBARCHIVE.xattr.* (base64, libarchive).
import { OciError } from '../error.ts';

/** Values are bytes as latin1 strings: extended attributes are binary. */
export type PaxRecords = ReadonlyMap<string, string>;

export type PaxAttributes = {
  readonly path: string | undefined;
  readonly linkpath: string | undefined;
  readonly size: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly mtime: PaxTime | undefined;
  readonly xattrs: ReadonlyMap<string, Buffer> | undefined;
};

export type PaxTime = { readonly seconds: number; readonly nanoseconds: number };

const SCHILY_XATTR = 'SCHILY.xattr.';
const LIBARCHIVE_XATTR = 'LIBARCHIVE.xattr.';

/** Split the body of an extended header. Throws OciError TAR_INVALID on a record that breaks the format. */
export function parsePax(body: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let start = 0; start < body.length;) {
    const space = body.indexOf(0x20, start);
    const digits = space < 0 || space - start > 10 ? '' : body.toString('latin1', start, space);
    if (!/^[0-9]+$/.test(digits)) throw damaged('a record does not begin with its length');
    const end = start + Number(digits);
    if (end <= space + 1 || end > body.length || body[end - 1] !== 0x0a)
      throw damaged('the length of a record is wrong');
    const equals = body.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) throw damaged('a record has no =');
    const key = body.toString('latin1', space + 1, equals);
    if (key === '' || key.includes('\0')) throw damaged('a record has no key');
    records.set(key, body.toString('latin1', equals + 1, end - 1));
    start = end;
  }
  return records;
}

/** Encode records as the body of an extended header. */
export function formatPax(records: PaxRecords): Buffer {
  const parts: string[] = [];
  for (const [key, value] of records) {
    const rest = ` ${key}=${value}\n`.length;
    let length = rest + String(rest).length;
    // The length counts its own digits, which can make it one digit longer.
    if (rest + String(length).length > length) length++;
    parts.push(`${length} ${key}=${value}\n`);
  }
  return Buffer.from(parts.join(''), 'latin1');
}

/** Records of a global header that may apply to every entry. Throws on those that would make all entries the same. */
export function checkGlobalPax(records: PaxRecords): void {
  for (const key of ['path', 'linkpath', 'size']) {
    if (records.has(key)) throw damaged(`a global header sets '${key}' for all entries`);
  }
}

/** The fields that berth uses. An empty value takes a record back, as POSIX says. Throws OciError TAR_INVALID. */
export function paxAttributes(records: PaxRecords): PaxAttributes {
  const xattrs = new Map<string, Buffer>();
  for (const [key, value] of records) {
    if (key.startsWith('GNU.sparse.')) throw damaged('the entry is a sparse file; berth has no reader for those');
    if (key.startsWith(SCHILY_XATTR)) xattrs.set(key.slice(SCHILY_XATTR.length), Buffer.from(value, 'latin1'));
    else if (key.startsWith(LIBARCHIVE_XATTR)) setLibarchive(xattrs, key.slice(LIBARCHIVE_XATTR.length), value);
  }
  return {
    path: name(records, 'path'),
    linkpath: name(records, 'linkpath'),
    size: integer(records, 'size'),
    uid: integer(records, 'uid'),
    gid: integer(records, 'gid'),
    mtime: time(records.get('mtime')),
    xattrs: xattrs.size === 0 ? undefined : xattrs,
  };
}

/** libarchive writes both forms; the SCHILY one is exact, so it wins. */
function setLibarchive(xattrs: Map<string, Buffer>, encoded: string, value: string): void {
  const key = encoded.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  if (!xattrs.has(key)) xattrs.set(key, Buffer.from(value, 'base64'));
}

function name(records: PaxRecords, key: string): string | undefined {
  const value = records.get(key);
  if (value === undefined || value === '') return undefined;
  if (value.includes('\0')) throw damaged(`'${key}' has a zero byte in it`);
  return value;
}

function integer(records: PaxRecords, key: string): number | undefined {
  const value = records.get(key);
  if (value === undefined || value === '') return undefined;
  const result = Number(value);
  if (!/^[0-9]+$/.test(value) || !Number.isSafeInteger(result)) throw damaged(`'${key}' is not a number`);
  return result;
}

/** `-1.25` is 1.25 seconds before 1970: seconds -2, nanoseconds 750,000,000. Digits beyond nanoseconds are dropped. */
function time(value: string | undefined): PaxTime | undefined {
  if (value === undefined || value === '') return undefined;
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(value);
  if (match === null) throw damaged(`'mtime' is not a time`);
  const whole = Number(match[2]);
  const part = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (match[1] !== '-') return { seconds: whole, nanoseconds: part };
  return part === 0 ? { seconds: 0 - whole, nanoseconds: 0 } : { seconds: -whole - 1, nanoseconds: 1e9 - part };
}

function damaged(what: string): OciError {
  return new OciError('TAR_INVALID', `A tar extended header is damaged: ${what}`);
}
