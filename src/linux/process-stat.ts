// proc_pid_stat(5), proc_pid_cgroup(5): who a process number belongs to. A number alone says little: it is used again.
import { readFileSync } from 'node:fs';

import { isErrno } from './errno.ts';

export type ProcessStat = {
  /** `R`, `S`, `D`, `T`, … `Z` for one that has ended and waits to be reaped. */
  readonly state: string;
  /** Clock ticks after boot: together with the number it names one process of this boot. */
  readonly startTime: number;
};

const START_TIME = 22;
const STATE = 3;

/** Undefined when there is no such process. Throws what reading /proc throws otherwise. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const text = readProcessFile(pid, 'stat');
  return text === undefined ? undefined : parseProcessStat(text);
}

/** The second field is the name in parentheses, which may hold spaces and parentheses itself. */
export function parseProcessStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[STATE - 3] ?? '', startTime: Number(fields[START_TIME - 3]) };
}

/** Whether the process exists, has not ended, and is in the cgroup `path` (as mounted here) of some hierarchy, or below. */
export function livesInCgroup(pid: number, path: string): boolean {
  const state = readProcessStat(pid)?.state;
  if (state === undefined || state === 'Z' || state === 'X') return false;
  const cgroups = readProcessFile(pid, 'cgroup') ?? '';
  return cgroups.split('\n').some((line) => `${line}/`.includes(`${path}/`));
}

function readProcessFile(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
