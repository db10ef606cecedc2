// What a hostPath volume names: checked against its type, made where the type says so.
import { mkdirSync, statSync, writeFileSync, type Stats } from 'node:fs';

import { OciError } from '../../../oci/error.ts';
import type { HostPathType } from '../../../spec/model.ts';

const KINDS: Readonly<
  Record<Exclude<HostPathType, ''>, { readonly is: (stat: Stats) => boolean; readonly name: string }>
> = {
  Directory: { is: (stat) => stat.isDirectory(), name: 'a directory' },
  DirectoryOrCreate: { is: (stat) => stat.isDirectory(), name: 'a directory' },
  File: { is: (stat) => stat.isFile(), name: 'a file' },
  FileOrCreate: { is: (stat) => stat.isFile(), name: 'a file' },
  Socket: { is: (stat) => stat.isSocket(), name: 'a socket' },
  CharDevice: { is: (stat) => stat.isCharacterDevice(), name: 'a character device' },
  BlockDevice: { is: (stat) => stat.isBlockDevice(), name: 'a block device' },
};

/** The path itself. Throws OciError VOLUME_UNAVAILABLE where there is nothing, or something else than `type` says. */
export function hostPath(path: string, type: HostPathType): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined && type === 'DirectoryOrCreate') mkdirSync(path, { recursive: true, mode: 0o755 });
  if (found === undefined && type === 'FileOrCreate') writeFileSync(path, '', { flag: 'wx', mode: 0o644 });
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new OciError(
      'VOLUME_UNAVAILABLE',
      `hostPath '${path}' does not exist on this machine; type DirectoryOrCreate would make it`,
    );
  if (type !== '' && !KINDS[type].is(stat))
    throw new OciError(
      'VOLUME_UNAVAILABLE',
      `hostPath '${path}' is not ${KINDS[type].name}, as its type '${type}' says`,
    );
  return path;
}
