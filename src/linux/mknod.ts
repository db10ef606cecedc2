// mknod(2): device nodes and FIFOs. makedev(3), major(3), minor(3).
import { type CString, formatCString } from './at.ts';
import { check } from './errno.ts';
import { libc } from './libc.ts';

export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_IFBLK = 0o060000;

type CMknodat = (dirfd: number, pathname: CString, mode: number, dev: bigint) => number;
const c_mknodat: CMknodat = libc.func('int mknodat(int dirfd, const char *pathname, unsigned int mode, uint64_t dev)');

/** Create a node of type and permissions `mode` (less the umask), relative to the directory `dirfd`. */
export function mknodat(dirfd: number, pathname: CString, mode: number, device = 0n): void {
  const result = c_mknodat(dirfd, pathname, mode, device);
  check(result, 'mknodat', () => `${dirfd}, ${formatCString(pathname)}, 0${mode.toString(8)}, ${device}`);
}

/** glibc's 64-bit device number: 12 bits of major and 8 of minor where they always were, the rest above. */
export function makedev(major: number, minor: number): bigint {
  const high = BigInt(major);
  const low = BigInt(minor);
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}

/** The numbers in a `st_rdev` as Node gives it (a 64-bit number). */
export function devMajor(device: number | bigint): number {
  const bits = BigInt(device);
  return Number(((bits >> 32n) & 0xfffff000n) | ((bits >> 8n) & 0xfffn));
}

/** The minor number of a dev_t: makedev(3). */
export function devMinor(device: number | bigint): number {
  const bits = BigInt(device);
  return Number(((bits >> 12n) & 0xffffff00n) | (bits & 0xffn));
}
