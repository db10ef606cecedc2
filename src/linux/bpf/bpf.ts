// bpf(2): load a program, attach it to a cgroup, and ask what is attached.
import { koffi } from '../koffi.ts';

import { check, isErrno, SyscallError } from '../errno.ts';
import { Fd } from '../fd.ts';
import { libc } from '../libc.ts';
import { nativeAbi, syscallNumber } from '../syscall-numbers.ts';

const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_DETACH = 9;
const BPF_PROG_GET_FD_BY_ID = 13;
const BPF_OBJ_GET_INFO_BY_FD = 15;
const BPF_PROG_QUERY = 16;

export const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
export const BPF_CGROUP_DEVICE = 6;
export const BPF_F_ALLOW_MULTI = 2;
export const BPF_F_REPLACE = 4;

const SIZEOF_ATTR = 128;
const SIZEOF_INSTRUCTION = 8;
const SIZEOF_PROG_INFO = 128;
const PROG_INFO_NAME = 64;
const MAX_NAME = 15;
/** The kernel attaches 64 programs to a cgroup at most. */
const MAX_PROGRAMS = 64;
const LOG_SIZE = 64 * 1024;

type CBpf = (number: number, command: number, attr: Buffer, size: number) => number;
const c_bpf: CBpf = libc.func('syscall', 'long', ['long', 'int', 'void *', 'unsigned int']);

export type BpfProgram = { readonly type: number; readonly name: string; readonly instructions: Buffer };

/**
 * Load a program; nothing runs it yet. Throws SyscallError with what the verifier says, or, on EPERM, with what may be
 * missing: CAP_BPF or CAP_SYS_ADMIN, and before Linux 5.11 room below RLIMIT_MEMLOCK.
 */
export function bpfProgLoad(program: BpfProgram): Fd {
  const license = Buffer.from('Apache-2.0\0');
  const attr = loadAttr(program, license);
  const fd = bpf(BPF_PROG_LOAD, attr);
  if (fd !== -1) return new Fd(fd);
  const errno = koffi.errno();
  throw new SyscallError('bpf', errno, `BPF_PROG_LOAD, ${program.name}`, loadHint(program, license, errno));
}

function loadAttr({ type, name, instructions }: BpfProgram, license: Buffer): Buffer {
  const attr = Buffer.alloc(SIZEOF_ATTR);
  attr.writeUInt32LE(type, 0);
  attr.writeUInt32LE(instructions.length / SIZEOF_INSTRUCTION, 4);
  attr.writeBigUInt64LE(koffi.address(instructions), 8);
  attr.writeBigUInt64LE(koffi.address(license), 16);
  attr.write(name.slice(0, MAX_NAME), 48, 'latin1');
  return attr;
}

/** Only a second call, with a place for it, makes the verifier speak. */
function loadHint(program: BpfProgram, license: Buffer, errno: number): string | undefined {
  const { EPERM, EINVAL } = koffi.os.errno;
  if (errno === EPERM) {
    return 'it needs CAP_BPF or CAP_SYS_ADMIN, and before Linux 5.11 a higher RLIMIT_MEMLOCK (ulimit -l)';
  }
  const log = Buffer.alloc(LOG_SIZE);
  const attr = loadAttr(program, license);
  attr.writeUInt32LE(1, 24);
  attr.writeUInt32LE(log.length, 28);
  attr.writeBigUInt64LE(koffi.address(log), 32);
  const fd = bpf(BPF_PROG_LOAD, attr);
  if (fd !== -1) new Fd(fd)[Symbol.dispose]();
  const text = log.toString('latin1', 0, log.indexOf(0)).trim();
  if (text !== '') return `the verifier says: ${text}`;
  return errno === EINVAL ? 'the kernel may be built without CONFIG_CGROUP_BPF' : undefined;
}

export type Attachment = { readonly cgroup: number; readonly type: number };

/** Attach a program to a cgroup (descriptors both); in place of `replaced`, at once, when that is given. Throws SyscallError. */
export function bpfProgAttach({ cgroup, type }: Attachment, program: number, replaced?: number): void {
  const attr = Buffer.alloc(SIZEOF_ATTR);
  attr.writeUInt32LE(cgroup, 0);
  attr.writeUInt32LE(program, 4);
  attr.writeUInt32LE(type, 8);
  attr.writeUInt32LE(replaced === undefined ? BPF_F_ALLOW_MULTI : BPF_F_ALLOW_MULTI | BPF_F_REPLACE, 12);
  attr.writeUInt32LE(replaced ?? 0, 16);
  check(bpf(BPF_PROG_ATTACH, attr), 'bpf', () => 'BPF_PROG_ATTACH');
}

/** Take a program off a cgroup. Throws SyscallError. */
export function bpfProgDetach({ cgroup, type }: Attachment, program: number): void {
  const attr = Buffer.alloc(SIZEOF_ATTR);
  attr.writeUInt32LE(cgroup, 0);
  attr.writeUInt32LE(program, 4);
  attr.writeUInt32LE(type, 8);
  check(bpf(BPF_PROG_DETACH, attr), 'bpf', () => 'BPF_PROG_DETACH');
}

/** The ids of the programs that are attached to this cgroup itself, in the order in which they run. Throws SyscallError. */
export function bpfProgQuery({ cgroup, type }: Attachment): number[] {
  const ids = Buffer.alloc(MAX_PROGRAMS * 4);
  const attr = Buffer.alloc(SIZEOF_ATTR);
  attr.writeUInt32LE(cgroup, 0);
  attr.writeUInt32LE(type, 4);
  attr.writeBigUInt64LE(koffi.address(ids), 16);
  attr.writeUInt32LE(MAX_PROGRAMS, 24);
  check(bpf(BPF_PROG_QUERY, attr), 'bpf', () => 'BPF_PROG_QUERY');
  return Array.from({ length: attr.readUInt32LE(24) }, (_, index) => ids.readUInt32LE(index * 4));
}

/** The program of this id; undefined when it is gone. Throws SyscallError. */
export function bpfProgById(id: number): Fd | undefined {
  const attr = Buffer.alloc(SIZEOF_ATTR);
  attr.writeUInt32LE(id, 0);
  try {
    return new Fd(check(bpf(BPF_PROG_GET_FD_BY_ID, attr), 'bpf', () => `BPF_PROG_GET_FD_BY_ID, ${id}`));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The name that a program was loaded with. Throws SyscallError. */
export function bpfProgName(program: number): string {
  const info = Buffer.alloc(SIZEOF_PROG_INFO);
  const attr = Buffer.alloc(SIZEOF_ATTR);
  attr.writeUInt32LE(program, 0);
  attr.writeUInt32LE(info.length, 4);
  attr.writeBigUInt64LE(koffi.address(info), 8);
  check(bpf(BPF_OBJ_GET_INFO_BY_FD, attr), 'bpf', () => 'BPF_OBJ_GET_INFO_BY_FD');
  const name = info.subarray(PROG_INFO_NAME, PROG_INFO_NAME + MAX_NAME + 1);
  return name.toString('latin1', 0, name.indexOf(0));
}

function bpf(command: number, attr: Buffer): number {
  return c_bpf(syscallNumber(nativeAbi(), 'bpf'), command, attr, attr.length);
}
