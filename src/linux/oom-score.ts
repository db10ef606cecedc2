// /proc/self/oom_score_adj (proc_pid_oom_score_adj(5)): how ready the kernel is to end this process when memory runs out.
import { readFileSync, writeFileSync } from 'node:fs';

import { isErrno } from './errno.ts';

const SELF = '/proc/self/oom_score_adj';

/** From -1000 (never) to 1000. Every process started from this one inherits it. */
export function oomScoreAdj(): number {
  return Number(readFileSync(SELF, 'latin1'));
}

/** Set it. Returns whether that was allowed: to go below what was inherited takes CAP_SYS_RESOURCE. */
export function setOomScoreAdj(score: number): boolean {
  try {
    writeFileSync(SELF, String(score));
    return true;
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return false;
    throw error;
  }
}
