// A volume as a tar, and back. GNU tar does it: extended attributes (with ACLs and file capabilities), numeric owners, hard
// links and holes, in the format of POSIX.1-2001 that other tars read too.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';

import { directoryNames } from '../../linux/directory-names.ts';
import { isErrno } from '../../linux/errno.ts';
import { syncfs } from '../../linux/syncfs.ts';
import { OciError } from '../error.ts';
import type { Host } from '../host.ts';
import { syncDirectory } from '../image/durable-file.ts';
import { besideVolume, hasVolume, lockVolume, refuseUsed, volumePath, type VolumeName } from './volume-store.ts';

const ATTRIBUTES = ['--xattrs', '--xattrs-include=*', '--numeric-owner'];
/** What tar says of files that programs change meanwhile; it goes on and ends with 1. */
const CHANGED = /: (file changed as we read it|File removed before we read it|socket ignored)$/;

export type BackupOutcome = {
  /** What tar said of files that changed while it read them: the copy of these may be torn. */
  readonly changed: readonly string[];
};

/**
 * Write a tar of the volume to the open file `fd`, at its position. Rejects with OciError VOLUME_MISSING or
 * VOLUME_COPY_FAILED; part of the tar is written then.
 */
export async function writeVolume(host: Host, volume: VolumeName, fd: number): Promise<BackupOutcome> {
  const path = existingVolume(host, volume);
  const args = [
    '--create',
    '--format=posix',
    '--sparse',
    '--one-file-system',
    ...ATTRIBUTES,
    '-C',
    path,
    '-f',
    '-',
    '.',
  ];
  const { code, complaints } = await runTar(args, { stdin: 'ignore', stdout: fd });
  const serious = complaints.filter((line) => !CHANGED.test(line));
  if (code > 1 || serious.length > 0) throw copyFailed('back up', volume, serious);
  return { changed: complaints };
}

/** As `writeVolume`, to a file that is there when it is whole and on the disk: what was there before stays until then. */
export async function backUpVolume(host: Host, volume: VolumeName, file: string): Promise<BackupOutcome> {
  const temporary = join(dirname(file), `.${basename(file)}.part`);
  try {
    await using target = await open(temporary, 'w', 0o600);
    const outcome = await writeVolume(host, volume, target.fd);
    await target.sync();
    await rename(temporary, file);
    await syncDirectory(dirname(file));
    return outcome;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Make a volume of the tar that the open file `fd` holds. The volume must not exist, or be empty: it is there whole when
 * this is done, and as it was after a crash at any point. Rejects with OciError VOLUME_IN_USE or VOLUME_COPY_FAILED.
 */
export async function restoreVolume(host: Host, volume: VolumeName, fd: number): Promise<void> {
  const { root } = host.paths;
  const staging = besideVolume(root, volume, 'restored');
  mkdirSync(dirname(staging), { recursive: true, mode: 0o700 });
  using _lock = await lockVolume(root, volume);
  refuseUsed(host, volume, 'restore');
  refuseFull(root, volume);
  rmSync(staging, { recursive: true, force: true }); // of a restore that was killed
  mkdirSync(staging, { mode: 0o700 });
  try {
    const args = ['--extract', '--preserve-permissions', '--same-owner', ...ATTRIBUTES, '-C', staging, '-f', '-'];
    const { code, complaints } = await runTar(args, { stdin: fd, stdout: 'ignore' });
    if (code !== 0) throw copyFailed('restore', volume, complaints);
    await using directory = await open(staging, 'r');
    await syncfs(directory.fd);
    refuseUsed(host, volume, 'restore');
    await rename(staging, volumePath(root, volume));
    await syncDirectory(dirname(staging));
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    throw isErrno(error, 'ENOTEMPTY', 'EEXIST') ? notEmpty(volume) : error;
  }
}

/** Before the work of unpacking; rename(2) is what decides. */
function refuseFull(root: string, volume: VolumeName): void {
  const path = volumePath(root, volume);
  if (hasVolume(root, volume) && directoryNames(path).length > 0) throw notEmpty(volume);
}

function existingVolume(host: Host, volume: VolumeName): string {
  if (hasVolume(host.paths.root, volume)) return volumePath(host.paths.root, volume);
  throw new OciError('VOLUME_MISSING', `There is no volume ${nameOf(volume)}`);
}

type Streams = { readonly stdin: number | 'ignore'; readonly stdout: number | 'ignore' };

async function runTar(
  args: readonly string[],
  { stdin, stdout }: Streams,
): Promise<{ readonly code: number; readonly complaints: readonly string[] }> {
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' };
  const child = spawn('tar', args, { stdio: [stdin, stdout, 'pipe'], env });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 2));
  });
  const said = child.stderr === null ? '' : text(child.stderr);
  try {
    const code = await ended;
    return { code, complaints: (await said).split('\n').filter((line) => line !== '') };
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new OciError('VOLUME_COPY_FAILED', 'Volumes are copied by GNU tar, which is not installed: install tar');
  }
}

function copyFailed(verb: string, volume: VolumeName, complaints: readonly string[]): OciError {
  const why = complaints.slice(0, 3).join('; ');
  return new OciError(
    'VOLUME_COPY_FAILED',
    `Cannot ${verb} volume ${nameOf(volume)}: ${why === '' ? 'tar failed' : why}`,
  );
}

function notEmpty(volume: VolumeName): OciError {
  const message = `Cannot restore volume ${nameOf(volume)}: it is not empty; remove it first (berth volume rm)`;
  return new OciError('VOLUME_COPY_FAILED', message);
}

function nameOf({ namespace, name }: VolumeName): string {
  return `${namespace}/${name}`;
}
