// Says in one place what was tried, around an error that says what came back.
import { isErrno } from '../../linux/errno.ts';
import { OciError } from '../error.ts';

/** An OciError of the same code with a context before its message; a full disk becomes DISK_FULL; others stay as they are. */
export function inContext(error: unknown, context: string): unknown {
  if (error instanceof OciError) return new OciError(error.code, `${context}: ${error.message}`, { cause: error });
  if (isErrno(error, 'ENOSPC', 'EDQUOT'))
    return new OciError('DISK_FULL', `${context}: ${error.message}`, { cause: error });
  return error;
}
