// The files of a cgroup: short texts that must never be created or truncated.
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';

import { isErrno } from '../errno.ts';

/** Write values one after the other through one descriptor, one write(2) each. Throws Node's own error, with `code`. */
export function writeControl(path: string, ...values: readonly string[]): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    for (const value of values) writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}

/** The whole text of a file. Throws Node's own error, with `code`. */
export function readControl(path: string): string {
  // With this encoding Node opens, reads and closes in one go, without a buffer of JavaScript's.
  return readFileSync(path, 'utf8');
}

/** As `readControl`; undefined when the file, the cgroup or the kernel feature behind it is not there. */
export function readControlIfPresent(path: string): string | undefined {
  try {
    return readControl(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP', 'ENOTSUP')) return undefined;
    throw error;
  }
}

/** Lines of `name number`, as in memory.stat. */
export function parseFlatKeyed(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) values.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return values;
}

/** A number, or undefined for `max` and for v1's "no limit", the largest multiple of a page below 2^63. */
export function parseLimit(text: string): number | undefined {
  const value = Number(text);
  return Number.isNaN(value) || value >= 2 ** 62 ? undefined : value;
}
