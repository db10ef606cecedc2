// Programs that berth calls.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { isErrno } from '../../linux/errno.ts';
import { ok, warn, type Check } from './check.ts';

const TIMEOUT_MS = 5_000;

/** The programs that sources need: git and ssh, with their versions. */
export async function programChecks(): Promise<Check[]> {
  return [
    await program('git', ['--version'], 'Git sources need it'),
    await program('ssh', ['-V'], 'ssh:// sources need it'),
  ];
}

async function program(name: string, args: readonly string[], why: string): Promise<Check> {
  try {
    const { stdout, stderr } = await promisify(execFile)(name, [...args], { timeout: TIMEOUT_MS });
    return ok(name, (stdout || stderr).trim());
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return warn(name, 'not installed', why);
    throw error;
  }
}
