// Where layers and containers lie: the file system, its room, and overlay.
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { probeErofs } from '../../oci/image/erofs/probe.ts';
import type { ErofsSupport } from '../../oci/image/erofs/support.ts';
import type { UnpackMode } from '../../oci/image/unpack-mode.ts';
import { formatPercent, formatSize } from '../output/quantities.ts';
import { fail, ok, warn, type Check } from './check.ts';

const LITTLE = 0.1;
/** statfs(2), <linux/magic.h>: those that people meet, and those that cannot hold an upper layer. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0xf2f52010, 'f2fs'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
  [0x6969, 'nfs'],
  [0xff534d42, 'cifs'],
  [0x65735546, 'fuse'],
  [0x2fc12fc1, 'zfs'],
]);
const UNFIT: ReadonlySet<string> = new Set(['overlayfs', 'nfs', 'cifs', 'fuse']);

/** Whether layers can be stacked, how they are kept, and how much space is left. */
export function storageChecks(root: string, unpack: UnpackMode): Check[] {
  const place = nearestExisting(root);
  const { type, bsize, blocks, bavail } = statfsSync(place);
  return [
    overlay(readFileSync('/proc/filesystems', 'latin1')),
    fileSystem(root, type),
    layers(unpack, unpack === 'extract' ? undefined : probeErofs(join(place, `.berth-probe-${randomUUID()}`))),
    room(root, bavail * bsize, blocks * bsize),
  ];
}

/** Pure: the content of /proc/filesystems. */
export function overlay(filesystems: string): Check {
  if (/^(nodev)?\s+overlay$/m.test(filesystems)) return ok('overlay', 'the kernel has it');
  return fail('overlay', 'not in this kernel, or not loaded', 'modprobe overlay');
}

/** Pure: what was asked for, and what is possible where layers lie. */
export function layers(unpack: UnpackMode, support: ErofsSupport | undefined): Check {
  if (support === undefined) return ok('layers', 'extracted to directories, as --unpack says');
  if (support.works)
    return ok('layers', `mounted from their tars by EROFS, ${support.shared ? 'once' : 'by each container'}`);
  const advice = 'Pulls take longer; Linux 6.12 with EROFS_FS_BACKED_BY_FILE, and ext4, xfs or btrfs, would do';
  const detail = `extracted to directories: ${support.why}`;
  return unpack === 'erofs' ? fail('layers', support.why, 'Leave out --unpack erofs') : warn('layers', detail, advice);
}

function fileSystem(root: string, magic: number): Check {
  const type = TYPES.get(magic) ?? `type 0x${magic.toString(16)}`;
  if (!UNFIT.has(type)) return ok('file system', `${type} at ${root}`);
  return fail('file system', `${type} at ${root}`, 'Layers need a local file system: put --root on ext4, xfs or btrfs');
}

function room(root: string, freeBytes: number, sizeBytes: number): Check {
  const share = sizeBytes === 0 ? 0 : freeBytes / sizeBytes;
  const text = `${formatSize(freeBytes)} free (${formatPercent(share)}) at ${root}`;
  return share >= LITTLE ? ok('disk', text) : warn('disk', text, 'berth image prune; pulls stop when little is left');
}

function nearestExisting(path: string): string {
  return existsSync(path) || path === '/' ? path : nearestExisting(dirname(path));
}
