// `containers/<id>/exit`: what the monitor leaves behind, readable when nobody was there to see it. It holds a lock (flock)
// on the file as long as it lives, so a locked file means that the pid in it is still the container's.
//
//   offset  0  uint64 0, uint64 pid       the container's first process
//   offset 16  uint64 address, int64 -errno   set when the tape failed before the program ran
//   offset 32  siginfo_t (128)             how the process ended: there once the file is whole
//   offset 160 uint64                      without a monitor: when the process started, in ticks after boot
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';

import { isErrno } from '../../linux/errno.ts';
import { SIGINFO_SIZE, parseSiginfo, type ExitStatus } from '../../linux/siginfo.ts';

export const PID_OFFSET = 0;
export const FAILURE_OFFSET = 16;
export const STATUS_OFFSET = 32;
export const EXIT_FILE_SIZE: number = STATUS_OFFSET + SIGINFO_SIZE;
export const START_TIME_OFFSET: number = EXIT_FILE_SIZE;

export type ExitFile = {
  /** 0 until the process exists. */
  readonly pid: number;
  /** The tape failed here before the program ran: a positive errno. */
  readonly failedErrno: number | undefined;
  readonly status: ExitStatus | undefined;
  /** Of a container without a monitor: with it the pid names one process of this boot, see proc_pid_stat(5). */
  readonly startTime: number | undefined;
  /** When the file was last written: the end of the process when `status` is there. Milliseconds since the epoch. */
  readonly writtenAt: number;
};

/** Read an exit file. Undefined when there is none: the monitor never ran. */
export function readExitFile(path: string): ExitFile | undefined {
  try {
    const bytes = readFileSync(path);
    return { ...parseExitFile(bytes), writtenAt: statSync(path).mtimeMs };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Decode the bytes of an exit file, whole or not. */
export function parseExitFile(bytes: Buffer): Omit<ExitFile, 'writtenAt'> {
  const pid = bytes.length >= PID_OFFSET + 16 ? Number(bytes.readBigUInt64LE(PID_OFFSET + 8)) : 0;
  const errno = bytes.length >= FAILURE_OFFSET + 16 ? -Number(bytes.readBigInt64LE(FAILURE_OFFSET + 8)) : 0;
  const status =
    bytes.length >= EXIT_FILE_SIZE ? parseSiginfo(bytes.subarray(STATUS_OFFSET, EXIT_FILE_SIZE)) : undefined;
  const startTime =
    bytes.length >= START_TIME_OFFSET + 8 ? Number(bytes.readBigUInt64LE(START_TIME_OFFSET)) : undefined;
  return { pid, failedErrno: errno > 0 ? errno : undefined, status, startTime };
}

/** Note when the process of a container without a monitor started. The file exists. */
export function writeStartTime(path: string, startTime: number): void {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(startTime));
  const fd = openSync(path, 'r+');
  try {
    writeSync(fd, bytes, 0, bytes.length, START_TIME_OFFSET);
  } finally {
    closeSync(fd);
  }
}
