// One entry of a tar as the rest of berth sees it: header block, GNU long names and PAX records put together. Pure.
import { OciError } from '../error.ts';
import { printableName } from './entry-path.ts';
import type { RawTarHeader } from './tar-header.ts';
import type { PaxRecords } from './tar-pax.ts';
import { paxAttributes } from './tar-pax.ts';

export type TarType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

export type TarHeader = {
  /** Bytes as a latin1 string, as they stand in the archive: unsafe until entry-path.ts has seen them. */
  readonly name: string;
  readonly type: TarType;
  /** Of the body, in bytes; 0 for what has none. */
  readonly size: number;
  /** Target of a symbolic link, or name of the entry that a hard link shares; else empty. */
  readonly linkname: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, rounded down, and the rest in nanoseconds (0 to 999,999,999). */
  readonly mtime: number;
  readonly mtimeNs: number;
  readonly major: number;
  readonly minor: number;
  /** Extended attributes by full name (`security.capability`), undefined when there are none. */
  readonly xattrs: ReadonlyMap<string, Buffer> | undefined;
};

const TYPES: Readonly<Record<string, TarType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/** What the headers before an entry's own said of it. */
export type Extensions = {
  /** PAX records of the archive so far and of this entry, the latter winning. */
  readonly records: PaxRecords | undefined;
  /** GNU `L` and `K`. */
  readonly longName: string | undefined;
  readonly longLink: string | undefined;
};

export const NO_EXTENSIONS: Extensions = { records: undefined, longName: undefined, longLink: undefined };

/** Put an entry together. Throws OciError TAR_INVALID on a type that berth does not unpack or a negative size. */
export function tarEntry(raw: RawTarHeader, extensions: Extensions): TarHeader {
  const pax = extensions.records === undefined ? undefined : paxAttributes(extensions.records);
  const name = pax?.path ?? extensions.longName ?? raw.name;
  const type = tarType(raw.typeflag, name);
  // By the header's own type: a file whose name ends in a slash is a directory, with a body that has to be skipped.
  const size = TYPES[raw.typeflag] === 'file' ? (pax?.size ?? raw.size) : 0;
  if (size < 0) throw new OciError('TAR_INVALID', `Tar entry ${printableName(name)} has a negative size`);
  return {
    name,
    type,
    size,
    linkname: pax?.linkpath ?? extensions.longLink ?? raw.linkname,
    mode: raw.mode & 0o7777,
    uid: owner(pax?.uid ?? raw.uid, name),
    gid: owner(pax?.gid ?? raw.gid, name),
    mtime: pax?.mtime?.seconds ?? raw.mtime,
    mtimeNs: pax?.mtime?.nanoseconds ?? 0,
    major: raw.major,
    minor: raw.minor,
    xattrs: pax?.xattrs,
  };
}

function tarType(typeflag: string, name: string): TarType {
  if (typeflag === 'S')
    throw new OciError(
      'TAR_INVALID',
      `Tar entry ${printableName(name)} is a GNU sparse file; berth has no reader for those`,
    );
  const type = TYPES[typeflag];
  if (type === undefined) {
    throw new OciError(
      'TAR_INVALID',
      `Tar entry ${printableName(name)} is of type ${JSON.stringify(typeflag)}, which berth does not unpack`,
    );
  }
  // Before POSIX had a type for directories, a slash at the end of the name was all that told them.
  return type === 'file' && name.endsWith('/') ? 'directory' : type;
}

/** Ids are 32 bits wide, and -1 means "leave as it is" to chown(2). */
function owner(id: number, name: string): number {
  if (Number.isInteger(id) && id >= 0 && id < 0xffffffff) return id;
  throw new OciError(
    'TAR_INVALID',
    `Tar entry ${printableName(name)} belongs to the user or group ${id}, which cannot be`,
  );
}
