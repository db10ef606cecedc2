// A copy of a directory tree with owners, permissions, times, links and nodes. Each directory is held open while its entries
// are copied, and no link is followed: a tree that changes meanwhile leads nowhere else.
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';

import { mknodat } from './mknod.ts';

/** A system call, unlike Node, does not know where a name ends. */
const NUL = Buffer.alloc(1);
const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, COPYFILE_EXCL } = constants;

/** Copy what is in the directory `from` into the empty directory `to`: both open descriptors. Sockets are left out. */
export function copyTree(from: number, to: number): void {
  for (const name of readdirSync(`/proc/self/fd/${from}`, { encoding: 'buffer' })) {
    copyEntry(inside(from, name), inside(to, name));
  }
}

/** Names are bytes, not text. */
function inside(directory: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);
}

function copyEntry(source: Buffer, target: Buffer): void {
  const stat = lstatSync(source);
  if (stat.isSocket()) return;
  if (stat.isSymbolicLink()) symlinkSync(readlinkSync(source, 'buffer'), target);
  else if (stat.isDirectory()) copyDirectory(source, target);
  else if (stat.isFile()) copyFile(source, target);
  else mknodat(-1, Buffer.concat([target, NUL]), stat.mode, BigInt(stat.rdev));
  lchownSync(target, stat.uid, stat.gid);
  if (!stat.isSymbolicLink()) chmodSync(target, stat.mode & 0o7777); // after chown, which takes set-user-id away
  lutimesSync(target, stat.atimeMs / 1000, stat.mtimeMs / 1000);
}

function copyDirectory(source: Buffer, target: Buffer): void {
  mkdirSync(target, 0o700);
  const from = openSync(source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const to = openSync(target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      copyTree(from, to);
    } finally {
      closeSync(to);
    }
  } finally {
    closeSync(from);
  }
}

/** Not to wait at a FIFO that has taken the place of the file. */
function copyFile(source: Buffer, target: Buffer): void {
  const from = openSync(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    copyFileSync(`/proc/self/fd/${from}`, target, COPYFILE_EXCL);
  } finally {
    closeSync(from);
  }
}
