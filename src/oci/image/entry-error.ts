// What went wrong with one entry of a layer, in words that name the entry.
import { isErrno } from '../../linux/errno.ts';
import { OciError, type OciErrorCode } from '../error.ts';
import { printableName } from './entry-path.ts';

/** An OciError that names the entry (latin1 bytes): the code stays, a full disk is DISK_FULL, the rest UNPACK_FAILED. */
export function entryError(error: unknown, name: string): OciError {
  const message = error instanceof Error ? error.message : String(error);
  return new OciError(codeOf(error), `Cannot unpack ${printableName(name)}: ${message}`, { cause: error });
}

function codeOf(error: unknown): OciErrorCode {
  if (error instanceof OciError) return error.code;
  return isErrno(error, 'ENOSPC', 'EDQUOT') ? 'DISK_FULL' : 'UNPACK_FAILED';
}
