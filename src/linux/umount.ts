// umount2(2).
import { check } from './errno.ts';
import { libc } from './libc.ts';

type CUmount2 = (target: string, flags: number) => number;
const c_umount2: CUmount2 = libc.func('int umount2(const char *target, int flags)');

/** Unmount what is on top at a path. Flags: MNT_*. Throws SyscallError. */
export function umount2(target: string, flags: number): void {
  check(c_umount2(target, flags), 'umount2', () => target);
}
