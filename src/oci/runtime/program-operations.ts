// The last part of a container's tape: close whatever the host gave, then become the user's program.
import { STATUS_FD } from '../../linux/tape/spawn.ts';
import type { Operation } from '../../linux/tape/operation.ts';
import { closeAllBut, closeAtExec } from './close-operations.ts';
import type { Process } from './config.ts';
import { EXIT_FD } from './monitor-operations.ts';
import { startInit } from './init-operations.ts';
import { failingAside, parkedNumbers, preserveOperations } from './preserve-operations.ts';
import { execOperations, filterOperations, identityOperations, type ProcessFacts } from './process-operations.ts';
import { searchOperations } from './search-operations.ts';
import { listenerPipe } from './seccomp-operations.ts';
import { FIFO_FD, waitForStart } from './start-fifo-operations.ts';

export type ProgramOptions = {
  /** A FIFO to wait at before the program runs. */
  readonly startFifo: string | undefined;
  readonly facts: ProcessFacts;
  readonly preservedFds?: readonly number[] | undefined;
};

/** Only the exit file and the status pipe stay, until exec; and what the caller wants preserved. */
export function programOperations(process: Process, options: ProgramOptions): readonly Operation[] {
  const { startFifo, facts, preservedFds } = options;
  const filter = filterOperations(process, facts);
  const wait = [...waitForStart(startFifo), ...preserveOperations(preservedFds, { exitFile: true })];
  return failingAside(
    [
      ...closeInherited(process.cwd, options),
      ...identityOperations(process, facts),
      ...(startFifo === undefined ? [] : searchOperations(process)),
      // Whoever is asked about calls hears of it from create, as with runc, though the wait is then filtered too.
      ...(facts.seccompListener === true ? [...filter, ...wait] : [...wait, ...filter]),
      ...(process.init === true ? startInit() : []),
      ...execOperations(process),
    ],
    preservedFds,
  );
}

/**
 * No descriptor of the host goes over execve(2). Before a directory is entered all but pipes and files are closed, as one of
 * them could be the directory (SEC-2, CVE-2024-21626); and before the wait for start, which may be long.
 */
function closeInherited(cwd: string, { startFifo, preservedFds, facts }: ProgramOptions): Operation[] {
  const fifo = startFifo === undefined ? [] : [FIFO_FD];
  const kept = [0, 1, 2, STATUS_FD, EXIT_FD, ...fifo, ...listenerPipe(facts), ...parkedNumbers(preservedFds)];
  return startFifo === undefined && cwd === '/' ? [closeAtExec()] : [...closeAllBut(kept), closeAtExec()];
}
