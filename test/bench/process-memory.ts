// Memory and work of processes, from proc(5).
import { readdirSync, readFileSync } from 'node:fs';

const CLOCK_TICKS = 100; // USER_HZ, the same on every Linux machine

/** A field of /proc/PID/status in bytes, such as VmRSS or RssAnon. 0 when the process has ended. */
export function memoryOf(pid: number, field: 'VmRSS' | 'RssAnon'): number {
  const text = read(`/proc/${pid}/status`);
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
}

/** Seconds of processor time so far. */
export function processorSeconds(pid: number): number {
  const text = read(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

/** Bytes that the process caused to be written to storage so far. */
export function writtenBytes(pid: number): number {
  return Number(/^write_bytes: (\d+)/m.exec(read(`/proc/${pid}/io`))?.[1] ?? 0);
}

/** Processes whose short name begins with `name` and whose cgroup or arguments tell that they belong to `mark`. */
export function processesOf(name: string, belongs: (pid: number) => boolean): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && read(`/proc/${entry}/comm`).startsWith(name))
    .map(Number)
    .filter(belongs);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
