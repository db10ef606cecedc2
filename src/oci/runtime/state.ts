// The state of a container, read from what lies on disk: nothing is remembered in memory, so that every process of berth, also
// one that starts after a crash, sees the same (runtime.md "State").
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { bootId } from '../../linux/boot-id.ts';
import { directoryNames } from '../../linux/directory-names.ts';
import { isLocked } from '../../linux/flock.ts';
import { livesInCgroup, readProcessStat } from '../../linux/process-stat.ts';
import type { ExitStatus } from '../../linux/siginfo.ts';
import { OciError } from '../error.ts';
import { readExitFile, type ExitFile } from './exit-file.ts';
import { containerDirectory, isContainerId, readRecord, type ContainerRecord } from './record.ts';

export type ContainerStatus = 'creating' | 'created' | 'running' | 'stopped';

export type ContainerState = {
  readonly record: ContainerRecord;
  readonly status: ContainerStatus;
  /** The first process in the host's pid namespace; 0 when it is not there. */
  readonly pid: number;
  /** How it ended. Undefined while it runs, and when nobody saw the end (power cut, the monitor was killed). */
  readonly exit: ExitStatus | undefined;
  /** The program never ran: the errno of the system call that failed before it. */
  readonly failedErrno: number | undefined;
  /** Milliseconds since the epoch. */
  readonly finishedAt: number | undefined;
};

/**
 * The state of one container. Undefined when there is none of this id, or only the remains of a create that was cut short.
 *
 * The monitor holds a lock on the exit file from before the clone until it has written how the process ended. Where it was
 * killed, the container is stopped once its process is gone too, and nobody knows how that ended. Where there never was one,
 * pid and start time tell.
 */
export function readState(stateDirectory: string, id: string): ContainerState | undefined {
  if (!isContainerId(id)) throw new OciError('CONTAINER_UNKNOWN', `'${id}' is not a container id`);
  const directory = containerDirectory(stateDirectory, id);
  const record = readRecord(directory);
  if (record === undefined) return undefined;
  const stopped = {
    record,
    status: 'stopped',
    pid: 0,
    exit: undefined,
    failedErrno: undefined,
    finishedAt: undefined,
  } as const;
  if (record.bootId !== bootId()) return stopped;
  const exitPath = join(directory, 'exit');
  const exit = readExitFile(exitPath);
  if (exit?.status !== undefined) return ended(record, exit);
  if (exit === undefined || (exit.pid === 0 && exit.failedErrno === undefined))
    return { ...stopped, status: 'creating' };
  if (!lives(exitPath, exit, record)) return ended(record, readExitFile(exitPath) ?? exit);
  const status = existsSync(join(directory, 'start.fifo')) ? 'created' : 'running';
  return { record, status, pid: exit.pid, exit: undefined, failedErrno: undefined, finishedAt: undefined };
}

/** A process that has ended and waits to be reaped does not live. */
function lives(exitPath: string, { pid, startTime }: ExitFile, { cgroupPath }: ContainerRecord): boolean {
  if (startTime === undefined) return isLocked(exitPath) || livesInCgroup(pid, cgroupPath);
  const stat = readProcessStat(pid);
  return stat?.startTime === startTime && stat.state !== 'Z' && stat.state !== 'X';
}

/** As `readState`, where the container must exist. Throws OciError CONTAINER_UNKNOWN. */
export function requireState(stateDirectory: string, id: string): ContainerState {
  const state = readState(stateDirectory, id);
  if (state === undefined) throw new OciError('CONTAINER_UNKNOWN', `Container '${id}' does not exist`);
  return state;
}

/** Every container, in the order of creation. */
export function listStates(stateDirectory: string): ContainerState[] {
  return containerIds(stateDirectory)
    .flatMap((id) => readState(stateDirectory, id) ?? [])
    .sort((a, b) => a.record.createdAt - b.record.createdAt);
}

/** The ids that have a directory, whole or not. */
export function containerIds(stateDirectory: string): string[] {
  return directoryNames(join(stateDirectory, 'containers')).filter(isContainerId);
}

/** Whether a container that is being created never will be: whoever made it has died before anything of it ran. */
export function isAbandoned(stateDirectory: string, { status, record }: ContainerState): boolean {
  const { creator, id } = record;
  if (status !== 'creating' || readProcessStat(creator.pid)?.startTime === creator.startTime) return false;
  return !isLocked(join(containerDirectory(stateDirectory, id), 'exit'));
}

function ended(record: ContainerRecord, exit: ExitFile): ContainerState {
  const finishedAt = exit.status === undefined ? undefined : exit.writtenAt;
  return { record, status: 'stopped', pid: 0, exit: exit.status, failedErrno: exit.failedErrno, finishedAt };
}
