// The files of a ConfigMap or Secret in a volume that containers see change all at once, as the kubelet's:
//
//   ..2026_11_24_10_11_12.a1b2c3d4/key    the files
//   ..data -> ..2026_11_24_10_11_12.a1b2c3d4
//   key -> ..data/key
//
// A change makes another directory and renames a new `..data` over the old one: who opens `key` has the old or the new.
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { isErrno } from '../../../linux/errno.ts';
import type { ConfigFile } from '../../../spec/config-files.ts';

const DATA = '..data';
const LINK_BEING_MADE = '..data_tmp';
const GROUP_READS = 0o440;

/**
 * Make the volume at `directory` hold `files` and no others; one that does already is left alone. `gid`: a group that may read
 * all of them (fsGroup).
 */
export function writeConfigVolume(directory: string, given: readonly ConfigFile[], gid = 0): string {
  const files = gid === 0 ? given : given.map((file) => ({ ...file, mode: file.mode | GROUP_READS }));
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const current = linkTarget(join(directory, DATA));
  if (current !== undefined && holds(join(directory, current), files, gid)) return directory;
  const fresh = `..${new Date().toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')}.${randomBytes(4).toString('hex')}`;
  writeFiles(join(directory, fresh), files, gid);
  const link = join(directory, LINK_BEING_MADE);
  rmSync(link, { force: true });
  symlinkSync(fresh, link);
  renameSync(link, join(directory, DATA));
  linkNames(directory, new Set(files.map(({ path }) => path.split('/')[0] ?? path)));
  for (const name of readdirSync(directory)) {
    if (name.startsWith('..') && name !== DATA && name !== fresh) rmSync(join(directory, name), { recursive: true });
  }
  return directory;
}

/** The directory with the files of now: what a subPath is looked up in, since none goes through links. */
export function configDirectory(directory: string): string {
  return join(directory, readlinkSync(join(directory, DATA)));
}

function writeFiles(directory: string, files: readonly ConfigFile[], gid: number): void {
  mkdirSync(directory, { mode: 0o755 });
  for (const { path, bytes, mode } of files) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, bytes, { flag: 'wx', mode });
    if (gid !== 0) chownSync(file, 0, gid);
    chmodSync(file, mode);
  }
}

/** One link for every first step of a path; those that lead nowhere any more go. */
function linkNames(directory: string, names: ReadonlySet<string>): void {
  const present = readdirSync(directory).filter((name) => !name.startsWith('..'));
  for (const name of names) if (!present.includes(name)) symlinkSync(join(DATA, name), join(directory, name));
  for (const name of present) if (!names.has(name)) rmSync(join(directory, name));
}

function holds(directory: string, files: readonly ConfigFile[], gid: number): boolean {
  try {
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
    if (entries.filter((entry) => !entry.isDirectory()).length !== files.length) return false;
    return files.every(({ path, bytes, mode }) => {
      const file = join(directory, path);
      const stat = statSync(file);
      const isOfGroup = gid === 0 || stat.gid === gid;
      return isOfGroup && (stat.mode & 0o777) === mode && readFileSync(file).equals(bytes);
    });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return false;
    throw error;
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
