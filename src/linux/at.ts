// The *at(2) family: openat, mkdirat, linkat, symlinkat, unlinkat, renameat, fchownat, fchmodat, utimensat, futimens.
// A name is a string, or bytes that end in a zero (file names need not be UTF-8): see `cString`.
import { check } from './errno.ts';
import { Fd } from './fd.ts';
import { libc } from './libc.ts';
import { AT_FDCWD } from './mount-flags.ts';

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
// These two differ between x86 and arm64 (<asm-generic/fcntl.h>, arch/arm64/include/uapi/asm/fcntl.h).
export const O_DIRECTORY = process.arch === 'arm64' ? 0o40000 : 0o200000;
export const O_NOFOLLOW = process.arch === 'arm64' ? 0o100000 : 0o400000;

export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;

/** A C string: what koffi passes as `const char *`. Bytes must end in a zero. */
export type CString = string | Uint8Array;

/** Bytes held as a latin1 string, as the C string that a system call takes. */
export function cString(latin1: string): Buffer {
  const bytes = Buffer.allocUnsafe(latin1.length + 1);
  bytes.write(latin1, 0, 'latin1');
  bytes[latin1.length] = 0;
  return bytes;
}

/** A C string for a message. */
export function formatCString(name: CString): string {
  return typeof name === 'string' ? name : JSON.stringify(Buffer.from(name).toString('utf8', 0, name.length - 1));
}

type COpenat = (dirfd: number, pathname: CString, flags: number, mode: number) => number;
const c_openat: COpenat = libc.func('openat', 'int', ['int', 'const char *', 'int', 'unsigned int']);
type CMkdirat = (dirfd: number, pathname: CString, mode: number) => number;
const c_mkdirat: CMkdirat = libc.func('int mkdirat(int dirfd, const char *pathname, unsigned int mode)');
type CLinkat = (olddirfd: number, oldpath: CString, newdirfd: number, newpath: CString, flags: number) => number;
const c_linkat: CLinkat = libc.func(
  'int linkat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, int flags)',
);
type CSymlinkat = (target: CString, newdirfd: number, linkpath: CString) => number;
const c_symlinkat: CSymlinkat = libc.func('int symlinkat(const char *target, int newdirfd, const char *linkpath)');
type CUnlinkat = (dirfd: number, pathname: CString, flags: number) => number;
const c_unlinkat: CUnlinkat = libc.func('int unlinkat(int dirfd, const char *pathname, int flags)');
type CRenameat = (olddirfd: number, oldpath: CString, newdirfd: number, newpath: CString) => number;
const c_renameat: CRenameat = libc.func(
  'int renameat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath)',
);
type CFchownat = (dirfd: number, pathname: CString, owner: number, group: number, flags: number) => number;
const c_fchownat: CFchownat = libc.func(
  'int fchownat(int dirfd, const char *pathname, unsigned int owner, unsigned int group, int flags)',
);
type CFchmodat = (dirfd: number, pathname: CString, mode: number, flags: number) => number;
const c_fchmodat: CFchmodat = libc.func('int fchmodat(int dirfd, const char *pathname, unsigned int mode, int flags)');
type CUtimensat = (dirfd: number, pathname: CString, times: Uint32Array, flags: number) => number;
const c_utimensat: CUtimensat = libc.func(
  'int utimensat(int dirfd, const char *pathname, const uint32_t *times, int flags)',
);
type CFutimens = (fd: number, times: Uint32Array) => number;
const c_futimens: CFutimens = libc.func('int futimens(int fd, const uint32_t *times)');

/** Relative to the directory `dirfd` (or AT_FDCWD); O_CLOEXEC is added. */
export function openat(dirfd: number, pathname: CString, flags: number, mode = 0): Fd {
  const fd = c_openat(dirfd, pathname, flags | O_CLOEXEC, mode);
  return new Fd(check(fd, 'openat', () => at(dirfd, pathname)));
}

/** mkdirat(2). Throws SyscallError, EEXIST when something of that name is there. */
export function mkdirat(dirfd: number, pathname: CString, mode: number): void {
  check(c_mkdirat(dirfd, pathname, mode), 'mkdirat', () => at(dirfd, pathname));
}

/** Neither name is followed when it is a symbolic link. */
export function linkat(olddirfd: number, oldpath: CString, newdirfd: number, newpath: CString): void {
  const result = c_linkat(olddirfd, oldpath, newdirfd, newpath, 0);
  check(result, 'linkat', () => `${at(olddirfd, oldpath)} as ${at(newdirfd, newpath)}`);
}

/** symlinkat(2): make `linkpath` point to `target`. Throws SyscallError. */
export function symlinkat(target: CString, newdirfd: number, linkpath: CString): void {
  const result = c_symlinkat(target, newdirfd, linkpath);
  check(result, 'symlinkat', () => `${formatCString(target)} at ${at(newdirfd, linkpath)}`);
}

/** Remove a name that is not a directory; with AT_REMOVEDIR an empty directory. */
export function unlinkat(dirfd: number, pathname: CString, flags = 0): void {
  check(c_unlinkat(dirfd, pathname, flags), 'unlinkat', () => at(dirfd, pathname));
}

/** renameat(2): replaces what `newpath` names, atomically. Throws SyscallError. */
export function renameat(olddirfd: number, oldpath: CString, newdirfd: number, newpath: CString): void {
  const result = c_renameat(olddirfd, oldpath, newdirfd, newpath);
  check(result, 'renameat', () => `${at(olddirfd, oldpath)} to ${at(newdirfd, newpath)}`);
}

/** Change the owner of the name itself: a symbolic link is not followed. */
export function lchownat(dirfd: number, pathname: CString, owner: number, group: number): void {
  const result = c_fchownat(dirfd, pathname, owner, group, AT_SYMLINK_NOFOLLOW);
  check(result, 'fchownat', () => `${at(dirfd, pathname)}, ${owner}:${group}`);
}

/** Follows a symbolic link (fchmodat(2) has no other way before Linux 6.6): for names known to be something else. */
export function fchmodat(dirfd: number, pathname: CString, mode: number): void {
  check(c_fchmodat(dirfd, pathname, mode, 0), 'fchmodat', () => `${at(dirfd, pathname)}, 0${mode.toString(8)}`);
}

export type Timespec = { readonly seconds: number; readonly nanoseconds: number };

/** Set access and modification time of the name itself: a symbolic link is not followed. */
export function utimensat(dirfd: number, pathname: CString, time: Timespec): void {
  const result = c_utimensat(dirfd, pathname, timespecs(time), AT_SYMLINK_NOFOLLOW);
  check(result, 'utimensat', () => `${at(dirfd, pathname)}, ${time.seconds}`);
}

/** Set access and modification time of an open file. */
export function futimens(fd: number, time: Timespec): void {
  check(c_futimens(fd, timespecs(time)), 'futimens', () => `${fd}, ${time.seconds}`);
}

/** `struct timespec[2]` of two equal times, as little-endian halves: BigInt would cost more than the call. */
function timespecs({ seconds, nanoseconds }: Timespec): Uint32Array {
  const low = seconds >>> 0;
  const high = Math.floor(seconds / 2 ** 32) >>> 0;
  return Uint32Array.of(low, high, nanoseconds, 0, low, high, nanoseconds, 0);
}

function at(dirfd: number, pathname: CString): string {
  return dirfd === AT_FDCWD ? formatCString(pathname) : `${dirfd}, ${formatCString(pathname)}`;
}
