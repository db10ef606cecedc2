// setxattr(2), getxattr(2), removexattr(2) and their l and f forms. Names are strings, values bytes.
import { type CString, formatCString } from './at.ts';
import { check, isErrno } from './errno.ts';
import { libc } from './libc.ts';

type CLsetxattr = (path: CString, name: CString, value: Uint8Array, size: number, flags: number) => number;
const c_lsetxattr: CLsetxattr = libc.func(
  'int lsetxattr(const char *path, const char *name, const uint8_t *value, size_t size, int flags)',
);
type CFsetxattr = (fd: number, name: CString, value: Uint8Array, size: number, flags: number) => number;
const c_fsetxattr: CFsetxattr = libc.func(
  'int fsetxattr(int fd, const char *name, const uint8_t *value, size_t size, int flags)',
);
type CLgetxattr = (path: CString, name: CString, value: Uint8Array, size: number) => number;
const c_lgetxattr: CLgetxattr = libc.func(
  'long lgetxattr(const char *path, const char *name, uint8_t *value, size_t size)',
);
type CLlistxattr = (path: CString, list: Uint8Array, size: number) => number;
const c_llistxattr: CLlistxattr = libc.func('long llistxattr(const char *path, uint8_t *list, size_t size)');

/** XATTR_SIZE_MAX and XATTR_LIST_MAX of <linux/limits.h>. */
const LARGEST_BYTES = 65_536;

/** Set an attribute of `path` itself: a symbolic link is not followed. */
export function lsetxattr(path: CString, name: CString, value: Uint8Array): void {
  const result = c_lsetxattr(path, name, value, value.length, 0);
  check(result, 'lsetxattr', () => `${formatCString(path)}, ${formatCString(name)}`);
}

/** fsetxattr(2): set an extended attribute of an open file. Throws SyscallError. */
export function fsetxattr(fd: number, name: CString, value: Uint8Array): void {
  const result = c_fsetxattr(fd, name, value, value.length, 0);
  check(result, 'fsetxattr', () => `${fd}, ${formatCString(name)}`);
}

/** An attribute of `path` itself, undefined when it has none of that name. */
export function lgetxattr(path: CString, name: CString): Buffer | undefined {
  const value = Buffer.allocUnsafe(LARGEST_BYTES);
  try {
    const size = c_lgetxattr(path, name, value, value.length);
    check(size, 'lgetxattr', () => `${formatCString(path)}, ${formatCString(name)}`);
    return Buffer.from(value.subarray(0, size));
  } catch (error) {
    if (isErrno(error, 'ENODATA')) return undefined;
    throw error;
  }
}

/** The names of all attributes of `path` itself that the caller may see. */
export function llistxattr(path: CString): string[] {
  const list = Buffer.allocUnsafe(LARGEST_BYTES);
  const size = check(c_llistxattr(path, list, list.length), 'llistxattr', () => formatCString(path));
  return list
    .toString('latin1', 0, size)
    .split('\0')
    .filter((name) => name !== '');
}
