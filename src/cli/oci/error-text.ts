// An error in the words that the programs above a runtime look for: Podman and Docker tell by `executable file not found in $PATH`
// that a program is missing (exit code 127), and by `permission denied` that it cannot be run (126).
import { getSystemErrorMessage } from 'node:util';

import { isOciError } from '../../oci/error.ts';
import { TapeError } from '../../linux/tape/failure.ts';

/** Calls that find or run the program. */
const PROGRAM_CALLS: readonly string[] = ['execve', 'faccessat', 'faccessat2'];

/** The message, and in the kernel's own words what was wrong where only the name of an errno says it. */
export function errorText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (isOciError(error, 'CONTAINER_EXISTS')) return message;
  const words = kernelWords(failedCall(error));
  return words === undefined || message.includes(words) ? message : `${message}: ${words}`;
}

type FailedCall = Error & { readonly errno: number };

function failedCall(error: unknown): FailedCall | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('errno' in each && typeof each.errno === 'number') return each as FailedCall;
  }
  return undefined;
}

function kernelWords(error: FailedCall | undefined): string | undefined {
  if (error === undefined) return undefined;
  const words = getSystemErrorMessage(-Math.abs(error.errno));
  const noProgram = error instanceof TapeError && PROGRAM_CALLS.includes(error.syscall) && error.code === 'ENOENT';
  return noProgram ? `executable file not found in $PATH: ${words}` : words;
}
