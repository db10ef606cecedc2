// The second step of create and start: one byte into the FIFO that the container's first process reads.
import { constants, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import { Fd } from '../../linux/fd.ts';
import { tryLock } from '../../linux/flock.ts';
import { openCgroup } from '../../linux/cgroup/cgroup.ts';
import { readable } from '../../linux/poll.ts';
import { TapeError } from '../../linux/tape/failure.ts';
import { OciError } from '../error.ts';
import { readConfig } from './read-config.ts';
import { readExitFile } from './exit-file.ts';
import type { HookSubject } from './hook-state.ts';
import { hasStartHooks } from './hook-operations.ts';
import { stopContainer } from './signal-container.ts';
import { execOperations } from './process-operations.ts';
import { containerDirectory } from './record.ts';
import type { Runtime } from './runtime.ts';
import { requireState } from './state.ts';
import { waitContainer } from './wait.ts';

/**
 * Start a created container; its program has been executed when the promise resolves. Rejects with OciError
 * CONTAINER_UNKNOWN, CONTAINER_STATE when it is not in state created, or START_FAILED when the program cannot be run.
 */
export async function startContainer(runtime: Runtime, id: string): Promise<void> {
  const config = readConfig(runtime, id);
  using _turn = hasStartHooks(config) ? takeTurn(runtime, id) : undefined;
  const state = requireState(runtime.stateDirectory, id);
  if (state.status !== 'created') {
    throw new OciError(
      'CONTAINER_STATE',
      `Cannot start container '${id}': it is ${state.status}, and only a created one can be started`,
    );
  }
  if (config.process === undefined)
    throw new OciError('CONFIG_INVALID', `Cannot start container '${id}': its configuration has no process`);
  const subject = { id, bundle: state.record.bundle, config, pid: state.pid };
  if (hasStartHooks(config)) await startHooks(runtime, subject, state.record.cgroupPath);
  using fifo = giveByte(runtime, id);
  // The process holds the other end until execve(2), or its end, closes it: then there is an error to be polled.
  await readable(fifo.number);
  const exitFile = join(containerDirectory(runtime.stateDirectory, id), 'exit');
  const errno = readExitFile(exitFile)?.failedErrno;
  if (errno === undefined) {
    if (hasStartHooks(config)) await poststartHooks(runtime, subject);
    return;
  }
  await waitContainer(runtime.stateDirectory, id);
  throw startError(runtime, id, errno);
}

/** Of two that start at once, only one may run the hooks. */
function takeTurn(runtime: Runtime, id: string): Disposable {
  const turn = tryLock(join(containerDirectory(runtime.stateDirectory, id), 'start.lock'));
  if (turn !== undefined) return turn;
  throw new OciError('CONTAINER_STATE', `Cannot start container '${id}': somebody else is starting it`);
}

/** A container whose start was refused by a hook has nothing left to wait for. */
async function startHooks(runtime: Runtime, subject: HookSubject, cgroupPath: string): Promise<void> {
  try {
    const { runStartHooks } = await import('./hooks.ts');
    await runStartHooks(runtime, subject, openCgroup(runtime.cgroups, cgroupPath));
  } catch (error) {
    await stopContainer(runtime, subject.id, { graceMs: 0 });
    throw error;
  }
}

async function poststartHooks(runtime: Runtime, subject: HookSubject): Promise<void> {
  try {
    const { runPoststartHooks } = await import('./hooks.ts');
    await runPoststartHooks(runtime, subject);
  } catch (error) {
    await stopContainer(runtime, subject.id, { graceMs: 0 });
    throw error;
  }
}

function giveByte(runtime: Runtime, id: string): Fd {
  const path = join(containerDirectory(runtime.stateDirectory, id), 'start.fifo');
  let fifo: Fd | undefined;
  try {
    fifo = new Fd(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    // Gone before the byte is there: of two that start at once only one finds it.
    rmSync(path);
    writeSync(fifo.number, '1');
    return fifo;
  } catch (error) {
    fifo?.[Symbol.dispose]();
    if (!isErrno(error, 'ENXIO', 'ENOENT', 'EPIPE')) throw error;
    throw new OciError(
      'CONTAINER_STATE',
      `Cannot start container '${id}': its process has ended, or somebody else has started it`,
      { cause: error },
    );
  }
}

/** The exit file has the errno only. What is left to do after the wait is, but for giving up privileges, the execve. */
function startError(runtime: Runtime, id: string, errno: number): OciError {
  const { process } = readConfig(runtime, id);
  const operation = process === undefined ? undefined : execOperations(process).at(-1);
  const cause = operation === undefined ? undefined : new TapeError(operation, errno);
  return new OciError('START_FAILED', `Cannot start container '${id}': ${cause?.message ?? `errno ${errno}`}`, {
    cause,
  });
}
