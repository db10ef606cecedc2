// `containers/<id>`: whoever makes the directory has the id.
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import { OciError } from '../error.ts';
import { containerDirectory, isContainerId, readRecord } from './record.ts';

/** A record is written within a millisecond. */
const CUT_SHORT_MS = 10_000;

/** Make it, and return its path. Throws OciError CONFIG_INVALID on an id that is none, or CONTAINER_EXISTS. */
export function makeContainerDirectory(stateDirectory: string, id: string): string {
  if (!isContainerId(id))
    throw new OciError('CONFIG_INVALID', `'${id}' is not a container id: letters, digits and _ + - . only`);
  const directory = containerDirectory(stateDirectory, id);
  try {
    mkdirSync(directory, { mode: 0o700 });
    return directory;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) mkdirSync(dirname(directory), { recursive: true, mode: 0o700 });
    else if (isErrno(error, 'EEXIST') && isRemains(directory)) rmSync(directory, { recursive: true, force: true });
    else if (isErrno(error, 'EEXIST'))
      throw new OciError('CONTAINER_EXISTS', `Container '${id}' exists already`, { cause: error });
    else throw error;
  }
  return makeContainerDirectory(stateDirectory, id);
}

/** Whether a create was cut short before there was a record; what is younger may be another's that goes on. */
function isRemains(directory: string): boolean {
  if (readRecord(directory) !== undefined) return false;
  const stat = statSync(directory, { throwIfNoEntry: false });
  return stat === undefined || Date.now() - stat.mtimeMs > CUT_SHORT_MS;
}
