// openat2(2): open a path under rules that the kernel enforces for every component. Linux 5.6.
import { koffi } from './koffi.ts';

import { type CString, formatCString, O_CLOEXEC } from './at.ts';
import { check, errnoNumber } from './errno.ts';
import { Fd } from './fd.ts';
import { formatFlags } from './flags.ts';
import { libc } from './libc.ts';
import { nativeAbi, syscallNumber } from './syscall-numbers.ts';

export const RESOLVE_NO_XDEV = 0x01;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
export const RESOLVE_BENEATH = 0x08;
export const RESOLVE_IN_ROOT = 0x10;
const RESOLVE_FLAGS = { RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT };

const SYS_openat2 = syscallNumber(nativeAbi(), 'openat2');
const OPEN_HOW_BYTES = 24;
const EAGAIN = errnoNumber('EAGAIN');

// glibc has no wrapper: syscall(2), with the arguments of openat2.
type COpenat2 = (number: number, dirfd: number, pathname: CString, how: Uint32Array, size: number) => number;
const c_openat2: COpenat2 = libc.func('syscall', 'long', [
  'long',
  'long',
  'const char *',
  'const uint32_t *',
  'size_t',
]);

export type OpenHow = { readonly flags: number; readonly mode?: number; readonly resolve: number };

/** Relative to the directory `dirfd`; O_CLOEXEC is added. EAGAIN (a rename raced with the lookup) is tried again. */
export function openat2(dirfd: number, pathname: CString, { flags, mode = 0, resolve }: OpenHow): Fd {
  const how = Uint32Array.of((flags | O_CLOEXEC) >>> 0, 0, mode, 0, resolve, 0);
  for (let attempt = 1; ; attempt++) {
    const fd = c_openat2(SYS_openat2, dirfd, pathname, how, OPEN_HOW_BYTES);
    if (fd === -1 && attempt < 32 && koffi.errno() === EAGAIN) continue;
    check(fd, 'openat2', () => `${dirfd}, ${formatCString(pathname)}, ${formatFlags(resolve, RESOLVE_FLAGS)}`);
    return new Fd(fd);
  }
}
