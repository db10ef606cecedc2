// The records that a running tape writes to its status pipe, 16 bytes each.
//   {0, pid}                   the first process of the container exists
//   {0, -1}                    it waits for the hooks
//   {operation address, -errno} that operation failed; nothing of the tape runs any more
import { errnoName } from '../errno.ts';
import type { AssembledTape } from './assemble.ts';
import type { Operation } from './operation.ts';
import { printOperation } from './print.ts';

export const RECORD_SIZE = 16;

/** In the place of a pid: the tape waits. */
export const WAITING = -1;

export type TapeRecord =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'failed'; readonly address: number; readonly errno: number };

/** The records in `bytes`, oldest first. A record that is cut short is left out. */
export function parseRecords(bytes: Buffer): TapeRecord[] {
  const records: TapeRecord[] = [];
  for (let offset = 0; offset + RECORD_SIZE <= bytes.length; offset += RECORD_SIZE) {
    const address = Number(bytes.readBigUInt64LE(offset));
    const second = Number(bytes.readBigInt64LE(offset + 8));
    if (address !== 0) records.push({ kind: 'failed', address, errno: -second });
    else records.push(second === WAITING ? { kind: 'waiting' } : { kind: 'started', pid: second });
  }
  return records;
}

// Where errno misleads: what it means for this call, and what to do.
const HINTS: Readonly<Record<string, string>> = {
  'mount ENOSPC': 'the limit of mounts is reached, see /proc/sys/fs/mount-max',
  'move_mount EINVAL': 'the target is not in this mount namespace, or a file is mounted on a directory',
  'move_mount ENOTDIR': 'a directory and a file cannot be mounted on each other',
  'setns EINVAL': 'it is a namespace of another type, or of a process that has threads',
  'setresuid EINVAL': 'the user namespace has no such user: see linux.uidMappings',
  'setresgid EINVAL': 'the user namespace has no such group: see linux.gidMappings',
  'clone3 ENOSPC': 'the limit of namespaces is reached, see /proc/sys/user/',
  'clone3 EAGAIN': 'the limit of processes is reached: pids limit of the cgroup, or RLIMIT_NPROC',
  'execve EACCES': 'the file is not executable for this user, or its file system is mounted noexec',
  'execve ENOENT':
    'the file, or the interpreter that its first line or its ELF header names, does not exist in the container',
  'faccessat ENOENT': 'there is no such file in the container',
  'faccessat EACCES': 'the file is not executable for this user, or its file system is mounted noexec',
  'execve ENOEXEC': 'not a program for this machine: another architecture, or a script without #!',
};

/** An operation of a tape that failed: what was tried, what came back, what it may mean. `code` is the errno's name. */
export class TapeError extends Error {
  readonly code: string;
  /** Negative, as on Node's own errors. */
  readonly errno: number;
  readonly syscall: string;
  /** The operation as strace would print it. */
  readonly operation: string;

  constructor(operation: Operation, errno: number) {
    const code = errnoName(errno);
    const hint = HINTS[`${operation.call} ${code}`];
    super(`${operation.what}: ${code}${hint === undefined ? '' : ` (${hint})`}`);
    this.name = 'TapeError';
    this.code = code;
    this.errno = -errno;
    this.syscall = operation.call;
    this.operation = printOperation(operation);
  }
}

/** The error of a failure record. Throws RangeError when the record does not belong to this tape. */
export function tapeError(
  tape: AssembledTape,
  failure: { readonly address: number; readonly errno: number },
): TapeError {
  const operation = tape.operations.get(failure.address);
  if (operation === undefined) throw new RangeError(`No operation at 0x${failure.address.toString(16)} of the tape`);
  return new TapeError(operation, failure.errno);
}
