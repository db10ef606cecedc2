// The second step of create and start: one byte into the FIFO that the container's first process reads.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { constants } from 'node:fs';
import { join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import { OciError } from '../error.ts';
import { containerDirectory } from './record.ts';
import type { Runtime } from './runtime.ts';
import { requireState } from './state.ts';

/** Start a created container. Throws OciError CONTAINER_UNKNOWN, or CONTAINER_STATE when it is not in state created. */
export function startContainer(runtime: Runtime, id: string): void {
  const state = requireState(runtime.stateDirectory, id);
  if (state.status !== 'created') {
    throw new OciError(
      'CONTAINER_STATE',
      `Cannot start container '${id}': it is ${state.status}, and only a created one can be started`,
    );
  }
  const fifo = join(containerDirectory(runtime.stateDirectory, id), 'start.fifo');
  try {
    const fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    // Gone before the byte is there: of two that start at once only one finds it.
    rmSync(fifo);
    writeSync(fd, '1');
    closeSync(fd);
  } catch (error) {
    if (!isErrno(error, 'ENXIO', 'ENOENT')) throw error;
    throw new OciError(
      'CONTAINER_STATE',
      `Cannot start container '${id}': its process has ended, or somebody else has started it`,
      { cause: error },
    );
  }
}
