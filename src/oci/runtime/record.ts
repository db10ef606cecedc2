// `containers/<id>/state.json`: what the runtime must remember of a container. Written once, before anything runs; what
// changes afterwards (pid, end) is in the exit file, written by the monitor.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import type { SharedMounts } from './shared-mounts.ts';

/** A process of this boot: numbers are used again, a number with its start time is not. */
export type ProcessIdentity = { readonly pid: number; readonly startTime: number };

export type ContainerRecord = {
  readonly ociVersion: string;
  readonly id: string;
  /** Directory of the bundle, or of the container's writable layer where there is no bundle. */
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** What this belongs to: namespace, pod, container, hash. Written by berth, never by an image (SEC-10). */
  readonly labels: Readonly<Record<string, string>>;
  readonly bootId: string;
  /** The process that makes the container: while nothing of it runs yet, it tells work from what a crash left. */
  readonly creator: ProcessIdentity;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Path below every hierarchy's root, such as `/berth/<id>`. */
  readonly cgroupPath: string;
  /** The unit that the cgroup belongs to, where systemd made it. */
  readonly unit?: string;
  /** File of standard output and error, when they go to one. */
  readonly logFile: string | undefined;
  readonly stopSignal: number;
  /** There are hooks to run when it is deleted. */
  readonly poststop?: boolean;
  /** Its PID namespace is not its own: the end of the first process is not the end of the others. */
  readonly sharesPids?: boolean;
  /** It has mounted in the runtime's mount namespace. */
  readonly sharedMounts?: SharedMounts;
};

/** The directory of a container's state. The id is checked by `isContainerId` before it gets here (SEC-18). */
export function containerDirectory(stateDirectory: string, id: string): string {
  return join(stateDirectory, 'containers', id);
}

/** Whether a string may be a container's id: what runc and crun allow (SEC-18). */
export function isContainerId(id: string): boolean {
  return id.length <= 1024 && /^[a-zA-Z0-9_+-][a-zA-Z0-9_+.-]*$/.test(id);
}

/** Write a container’s record, once. Throws EEXIST when there is one. */
export function writeRecord(directory: string, record: ContainerRecord): void {
  writeFileSync(join(directory, 'state.json'), JSON.stringify(record), { mode: 0o600, flag: 'wx' });
}

/** The record in `directory`, or undefined when there is none or only a part of one: a create that was cut short. */
export function readRecord(directory: string): ContainerRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8')) as ContainerRecord;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
