// umask(2), as proc_pid_status(5) shows it: the call itself cannot read the mask without changing it for a moment.
import { readFileSync } from 'node:fs';

/** The file mode creation mask of this process. */
export function processUmask(): number {
  const match = /^Umask:\t([0-7]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'));
  return Number.parseInt(match?.[1] ?? '777', 8);
}
