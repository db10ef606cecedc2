// /dev of a container: the devices and links that the specification asks for (config-linux.md "Default Devices"), and more
// devices where config.json names them.
import { posix } from 'node:path';

import { AT_SYMLINK_NOFOLLOW } from '../../linux/at.ts';
import { OPEN_TREE_FLAGS } from '../../linux/mount-flags.ts';
import { NEXT } from '../../linux/tape/assemble.ts';
import { bits, result, text, value, type Operation } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { Device, Mount, RuntimeConfig } from './config.ts';
import { moveMount } from './mount-calls.ts';
import { during, type MountOperations } from './mount-facts.ts';
import { hasUserNamespace } from './namespaces-of.ts';
import { atCwd, makeDirectories, makeFile } from './path-operations.ts';
import { isBind } from './plain-mounts.ts';

const F_OK = value(0, 'F_OK');
const AT_NOFOLLOW = value(AT_SYMLINK_NOFOLLOW, 'AT_SYMLINK_NOFOLLOW');
const PTMX = '/dev/ptmx';
const CLONE = bits(OPEN_TREE_FLAGS.OPEN_TREE_CLONE | OPEN_TREE_FLAGS.OPEN_TREE_CLOEXEC, OPEN_TREE_FLAGS);

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
  ['pts/ptmx', PTMX],
];

/** Whether a mount is a /dev that the tape fills itself. */
export function isOwnDev({ destination, type }: Mount): boolean {
  return destination === '/dev' && type === 'tmpfs';
}

/** Whether /dev is the host's, or a volume, by a bind mount: then it has all that it shall have. */
function isForeignDev(mount: Mount): boolean {
  return mount.destination === '/dev' && isBind(mount);
}

/** The devices of a container: those that it names, then the others that every container has. Each path once. */
export function devicesOf({ linux }: RuntimeConfig): readonly Device[] {
  const devices = new Map<string, Device>();
  for (const device of [...(linux?.devices ?? []).map(checkedDevice), ...DEFAULT_DEVICES]) {
    if (!devices.has(device.path)) devices.set(device.path, device);
  }
  return [...devices.values()].filter(({ path }) => path !== PTMX); // a link, whoever names it: the container's own
}

/**
 * Nodes and links. In a /dev that was just mounted empty there is nothing; in the image's own, what is there stays. In a
 * user namespace no node can be made: the host's are bound, of the same path (config-linux.md, "Devices").
 */
export function deviceOperations(config: RuntimeConfig): MountOperations {
  if ((config.mounts ?? []).some(isForeignDev)) return during({});
  const isOwn = (config.mounts ?? []).some(isOwnDev);
  const devices = devicesOf(config);
  const links = LINKS.flatMap((link) => (isOwn ? [makeLink(link)] : [{ ...makeLink(link), onError: NEXT }]));
  const parent = isOwn ? [] : makeDirectories('/dev');
  if (hasUserNamespace(config)) {
    const bound = devices.map((device, index) =>
      device.type === 'p' ? made(device, isOwn) : bindDevice(device, index),
    );
    return during({
      beforeUser: bound.flatMap(({ beforeUser }) => beforeUser),
      afterPivot: [...parent, ...bound.flatMap(({ afterPivot }) => afterPivot), ...links],
    });
  }
  const nodes = devices.flatMap((device) => makeDevice(device, isOwn));
  return during({ afterPivot: [...parent, ...nodes, ...links] });
}

function checkedDevice(device: Device): Device {
  const { path, type } = device;
  if (!path.startsWith('/')) throw new OciError('CONFIG_INVALID', `linux.devices: path '${path}' is not absolute`);
  if (!Object.hasOwn(TYPES, type)) {
    throw new OciError(
      'CONFIG_INVALID',
      `linux.devices: '${type}' of ${path} is none of ${Object.keys(TYPES).join(', ')}`,
    );
  }
  return { ...device, path: posix.normalize(path) };
}

function made(device: Device, isOwn: boolean): MountOperations {
  return during({ afterPivot: makeDevice(device, isOwn) });
}

function makeDevice(device: Device, isOwn: boolean): Operation[] {
  const { path, type, major = 0, minor = 0, fileMode = 0o666, uid = 0, gid = 0 } = device;
  const [format, name] = TYPES[type];
  const mode = value(format | (fileMode & 0o7777), `${name}|0${(fileMode & 0o7777).toString(8)}`);
  const node: Operation = {
    call: 'mknodat',
    args: [atCwd, text(path), mode, value(makedev(major, minor), `makedev(${major}, ${minor})`)],
    what: `make device ${path}`,
  };
  const owner: Operation = {
    call: 'fchownat',
    args: [atCwd, text(path), uid, gid, AT_NOFOLLOW],
    what: `give ${path} to ${uid}:${gid}`,
  };
  const give = uid === 0 && gid === 0 ? [] : [owner];
  return [...parentOf(path), ...(isOwn && path.startsWith('/dev/') ? [node] : unlessThere(node, path)), ...give];
}

/** What exists stays; a node that neither exists nor can be made is an error. */
function unlessThere(node: Operation, path: string): Operation[] {
  return [
    { ...node, onError: NEXT },
    { call: 'faccessat2', args: [atCwd, text(path), F_OK, AT_NOFOLLOW], what: node.what },
  ];
}

function parentOf(path: string): Operation[] {
  const parent = path.slice(0, path.lastIndexOf('/'));
  return parent === '/dev' ? [] : makeDirectories(parent);
}

function bindDevice({ path }: Device, index: number): MountOperations {
  const tree = result(`device ${index}`);
  return during({
    beforeUser: [{ call: 'open_tree', args: [atCwd, text(path), CLONE], save: tree, what: `take ${path}` }],
    afterPivot: [...parentOf(path), ...makeFile(path), moveMount(tree, path, `bind device ${path}`)],
  });
}

function makeLink([target, path]: readonly [string, string]): Operation {
  return { call: 'symlinkat', args: [text(target), atCwd, text(path)], what: `link ${path} to ${target}` };
}

/** makedev(3) as the kernel's 32-bit dev_t. */
function makedev(major: number, minor: number): number {
  return (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12);
}
