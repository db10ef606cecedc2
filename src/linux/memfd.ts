// memfd_create(2): anonymous files in memory, sealed so that nobody can change them afterwards.
import { writeSync } from 'node:fs';

import { check, isErrno } from './errno.ts';
import { Fd } from './fd.ts';
import { libc } from './libc.ts';

const MFD_CLOEXEC = 0x1;
const MFD_ALLOW_SEALING = 0x2;
const MFD_EXEC = 0x10; // Linux 6.3: says that execution is meant; older kernels answer EINVAL

const F_ADD_SEALS = 1033;
const F_SEAL_SEAL = 0x1;
const F_SEAL_SHRINK = 0x2;
const F_SEAL_GROW = 0x4;
const F_SEAL_WRITE = 0x8;

type CMemfdCreate = (name: string, flags: number) => number;
const c_memfd_create: CMemfdCreate = libc.func('int memfd_create(const char *name, unsigned int flags)');
type CFcntl = (fd: number, command: number, argument: number) => number;
const c_fcntl: CFcntl = libc.func('fcntl', 'int', ['int', 'int', 'int']);

/** An executable file in memory with these bytes, sealed against any change (SEC-1). */
export function sealedExecutable(name: string, bytes: Buffer): Fd {
  const fd = new Fd(memfdCreate(name));
  for (let written = 0; written < bytes.length;) written += writeSync(fd.number, bytes, written);
  const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  check(c_fcntl(fd.number, F_ADD_SEALS, seals), 'fcntl', () => `${name}, F_ADD_SEALS`);
  return fd;
}

/** An empty file in memory that closes on exec. Returns its descriptor, for the caller to close. Throws SyscallError. */
export function memfdCreate(name: string): number {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  try {
    return check(c_memfd_create(name, flags | MFD_EXEC), 'memfd_create', () => name);
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error;
    return check(c_memfd_create(name, flags), 'memfd_create', () => name);
  }
}
