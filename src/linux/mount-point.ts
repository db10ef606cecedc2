// proc_pid_mountinfo(5): where the mount is mounted that a path is in.
import { readFileSync, realpathSync } from 'node:fs';

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

/** Blanks, tabs, line ends and backslashes are octal there. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
