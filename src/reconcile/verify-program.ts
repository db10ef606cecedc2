// Run a program that judges signatures: bounded in time and output, with nothing of the environment.
import { execFile } from 'node:child_process';

import { isErrno } from '../linux/errno.ts';
import { SourceError } from './source.ts';

export type ProgramOptions = {
  readonly input: Buffer;
  /** The home directory that the program sees. */
  readonly home: string;
  readonly signal: AbortSignal;
};

/** What a judge of signatures is given beside the signature. */
export type JudgeOptions = {
  /** What is judged, for messages. */
  readonly what: string;
  readonly signers: string;
  /** For files; empty, and removed afterwards. */
  readonly directory: string;
  readonly signal: AbortSignal;
};

export type ProgramResult = { readonly exitCode: number; readonly output: string; readonly complaint: string };

const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;

/** Rejects with SourceError SOURCE_IO when it cannot be run or does not end by itself. */
export function runVerifier(
  program: 'ssh-keygen' | 'gpg',
  args: readonly string[],
  { input, home, signal }: ProgramOptions,
): Promise<ProgramResult> {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', TZ } = process.env;
  const env = { PATH, HOME: home, LC_ALL: 'C', ...(TZ === undefined ? {} : { TZ }) };
  const limits = { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { env, signal, ...limits }, (error, output, complaint) => {
      const exitCode = error === null ? 0 : error.code;
      if (typeof exitCode === 'number') return resolve({ exitCode, output, complaint: complaint.trim() });
      const why = isErrno(error, 'ENOENT') ? `it is not installed (package ${PACKAGES[program]})` : error?.message;
      reject(new SourceError('SOURCE_IO', `Cannot check a signature with ${program}: ${why}`, { cause: error }));
    });
    // EPIPE: it has judged without reading all of it.
    child.stdin?.on('error', () => {}).end(input);
  });
}

const PACKAGES = { 'ssh-keygen': 'openssh-client', gpg: 'gnupg' } as const;
