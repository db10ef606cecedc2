// A tape from start to end: spawn, read its status pipe, reap.
import { closeSync, readSync } from 'node:fs';

import { isErrno } from '../errno.ts';
import { pipe } from '../pipe.ts';
import { pidfdOpen, reap } from '../pidfd.ts';
import { readable } from '../poll.ts';
import { assemble, type AssembledTape } from './assemble.ts';
import { parseRecords, RECORD_SIZE, tapeError } from './failure.ts';
import { hostArchitecture } from './machine-code.ts';
import type { Tape } from './operation.ts';
import { spawnTape, type SpawnOptions } from './spawn.ts';

/** What the `fail` block of a one-shot tape exits with. */
export const FAILED_EXIT_CODE = 127;
const READ_SIZE = 65536;

/**
 * Run a one-shot tape to its end and return what it wrote to its status pipe. A tape that went to its `fail` block
 * (a failure record, then exit code 127) becomes the TapeError of the operation that failed. Reaps the process.
 */
export async function runTape(tape: Tape, options: Omit<SpawnOptions, 'status'>): Promise<Buffer> {
  const assembled = assemble(tape, hostArchitecture());
  const { read, write } = pipe();
  using output = read;
  let pid: number;
  try {
    pid = spawnTape(assembled, { ...options, status: write.number });
  } finally {
    closeSync(write.release());
  }
  const bytes = await readToEnd(output.number);
  const code = await exitCode(pid);
  if (code === 0) return bytes;
  throw failureOf(assembled, bytes, code);
}

/** Everything until the last writer has closed its end. */
export async function readToEnd(fd: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = readSome(fd);
    if (chunk === undefined) await readable(fd);
    else if (chunk.length === 0) return Buffer.concat(chunks);
    else chunks.push(chunk);
  }
}

/** The bytes that are there now: empty at the end, undefined when one must wait. Throws what read(2) throws. */
export function readSome(fd: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(READ_SIZE);
  try {
    return buffer.subarray(0, readSync(fd, buffer));
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return undefined;
    throw error;
  }
}

/** Wait for a child of this process and reap it. Returns its code, or 128 plus the signal that killed it. */
export async function exitCode(pid: number): Promise<number> {
  using pidfd = pidfdOpen(pid);
  if (pidfd === undefined) throw new Error(`The tape's process ${pid} was reaped by somebody else`);
  await readable(pidfd.number);
  const status = reap(pidfd.number);
  return status === undefined ? -1 : (status.code ?? 128 + status.signal);
}

function failureOf(tape: AssembledTape, bytes: Buffer, code: number): Error {
  const record = parseRecords(bytes.subarray(Math.max(0, bytes.length - RECORD_SIZE))).at(-1);
  if (code === FAILED_EXIT_CODE && record?.kind === 'failed') return tapeError(tape, record);
  return new Error(`The tape's process ended with code ${code} and without a failure record`);
}
