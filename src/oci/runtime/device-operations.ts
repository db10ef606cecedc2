// /dev of a container: the devices and links that the specification asks for (config-linux.md "Default Devices"), and more
// devices where config.json names them.
import { text, value, type Operation } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { Device, Mount } from './config.ts';
import { atCwd, makeDirectories } from './path-operations.ts';

const TYPES: Readonly<Record<Device['type'], readonly [mode: number, name: string]>> = {
  c: [0o020000, 'S_IFCHR'],
  u: [0o020000, 'S_IFCHR'],
  b: [0o060000, 'S_IFBLK'],
  p: [0o010000, 'S_IFIFO'],
};

/** Present in every container. */
export const DEFAULT_DEVICES: readonly Device[] = [
  { type: 'c', path: '/dev/null', major: 1, minor: 3 },
  { type: 'c', path: '/dev/zero', major: 1, minor: 5 },
  { type: 'c', path: '/dev/full', major: 1, minor: 7 },
  { type: 'c', path: '/dev/random', major: 1, minor: 8 },
  { type: 'c', path: '/dev/urandom', major: 1, minor: 9 },
  { type: 'c', path: '/dev/tty', major: 5, minor: 0 },
];

const LINKS: readonly (readonly [target: string, path: string])[] = [
  ['/proc/self/fd', '/dev/fd'],
  ['/proc/self/fd/0', '/dev/stdin'],
  ['/proc/self/fd/1', '/dev/stdout'],
  ['/proc/self/fd/2', '/dev/stderr'],
  ['pts/ptmx', '/dev/ptmx'],
];

/** Whether a mount is a /dev that the tape fills itself. */
export function isOwnDev({ destination, type }: Mount): boolean {
  return destination === '/dev' && type === 'tmpfs';
}

/** Nodes and links for a /dev that was just mounted empty. A device of `extra` replaces the default of its path. */
export function deviceOperations(extra: readonly Device[]): Operation[] {
  const named = new Set(extra.map((device) => device.path));
  const devices = [...DEFAULT_DEVICES.filter((device) => !named.has(device.path)), ...extra];
  return [...devices.flatMap(makeDevice), ...LINKS.filter(([, path]) => !named.has(path)).map(makeLink)];
}

function makeDevice(device: Device): Operation[] {
  const { path, type, major = 0, minor = 0, fileMode = 0o666, uid = 0, gid = 0 } = device;
  if (!path.startsWith('/')) throw new OciError('CONFIG_INVALID', `linux.devices: path '${path}' is not absolute`);
  const [format, name] = TYPES[type];
  const mode = value(format | (fileMode & 0o7777), `${name}|0${(fileMode & 0o7777).toString(8)}`);
  const parent = path.slice(0, path.lastIndexOf('/'));
  const node: Operation = {
    call: 'mknodat',
    args: [atCwd, text(path), mode, value(makedev(major, minor), `makedev(${major}, ${minor})`)],
    what: `make device ${path}`,
  };
  const owner: Operation = {
    call: 'fchownat',
    args: [atCwd, text(path), uid, gid, 0],
    what: `give ${path} to ${uid}:${gid}`,
  };
  return [...(parent === '/dev' ? [] : makeDirectories(parent)), node, ...(uid === 0 && gid === 0 ? [] : [owner])];
}

function makeLink([target, path]: readonly [string, string]): Operation {
  return { call: 'symlinkat', args: [text(target), atCwd, text(path)], what: `link ${path} to ${target}` };
}

/** makedev(3) as the kernel's 32-bit dev_t. */
function makedev(major: number, minor: number): number {
  return (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12);
}
