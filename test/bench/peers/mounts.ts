// Peers leave mounts in their directories: detached before those are removed.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Unmount everything below `directory`, deepest first. */
export function unmountBelow(directory: string): void {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${directory}/`));
  for (const point of points.sort().toReversed()) execFileSync('umount', ['--lazy', point]);
}
