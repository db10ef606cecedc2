// proc_pid_mountinfo(5): where the mount is mounted that a path is in.
import { existsSync, readFileSync, realpathSync } from 'node:fs';

const MOUNT_POINT = 4;

/** The longest mount point above a path, which is `/` at least. Throws what reading /proc, or the path, throws. */
export function mountPointOf(path: string): string {
  return longestMountPoint(readFileSync('/proc/self/mountinfo', 'utf8'), realpathSync(path));
}

/** The same in the text of a mountinfo file. Pure. */
export function longestMountPoint(mountinfo: string, path: string): string {
  const points = mountinfo.split('\n').map((line) => unescape(line.split(' ')[MOUNT_POINT] ?? ''));
  const above = points.filter((point) => point === path || point === '/' || path.startsWith(`${point}/`));
  return above.reduce((longest, point) => (point.length > longest.length ? point : longest), '/');
}

/** The numbers of the mounts on a path, in the order of the list. Empty where nothing is mounted, or there is no such path. */
export function mountIdsAt(path: string): number[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const real = existsSync(path) ? realpathSync(path) : path;
  return lines
    .map((line) => line.split(' '))
    .flatMap(([id, , , , point = '']) => (unescape(point) === real ? [Number(id)] : []));
}

/** Blanks, tabs, line ends and backslashes are octal there. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
