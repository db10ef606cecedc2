// Tape operations that make and check places in the container's own tree. They run after pivot_root: no path leaves it.
import { NEXT } from '../../linux/tape/assemble.ts';
import { result, text, value, words, type Operation, type Value } from '../../linux/tape/operation.ts';
import { O_CLOEXEC, O_DIRECTORY, O_PATH, O_WRONLY } from '../../linux/at.ts';
import { AT_FDCWD } from '../../linux/mount-flags.ts';
import { RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } from '../../linux/openat2.ts';

export const atCwd = value(AT_FDCWD, 'AT_FDCWD');

const S_IFREG = 0o100000;
const SIZEOF_OPEN_HOW = 24;

/**
 * mkdir -p: every missing directory of an absolute path, each checked before anything is made in it. A symbolic link of the
 * image ends inside the container, but one of /proc (`/data -> /proc/self/fd/9`) would end wherever a descriptor of the tape
 * leads (SEC-6, CVE-2026-41579).
 */
export function makeDirectories(path: string): Operation[] {
  if (/^\/(proc|sys)\/./.test(path)) return []; // the kernel's own directories are there, or cannot be made
  return directoriesOf(path).flatMap((directory) => [makeDirectory(directory), checkNoMagicLink(directory)]);
}

/** As `makeDirectories`, where no symbolic link at all may be on the way: for /proc and /sys (CVE-2019-19921). */
export function makePlainDirectory(path: string, type: string): Operation[] {
  return [...directoriesOf(path).map(makeDirectory), checkPlainDirectory(path, type)];
}

function directoriesOf(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '');
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
}

/** What exists stays; what cannot be made fails at its use. */
function makeDirectory(path: string): Operation {
  return {
    call: 'mkdirat',
    args: [atCwd, text(path), octal(0o755)],
    what: `make directory ${path}`,
    onError: NEXT,
  };
}

function checkNoMagicLink(path: string): Operation {
  const how = words([O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS], '{O_PATH|O_CLOEXEC, RESOLVE_NO_MAGICLINKS}');
  return {
    call: 'openat2',
    args: [atCwd, text(path), how, SIZEOF_OPEN_HOW],
    what: `check that ${path} leads through no link of /proc`,
  };
}

/** An empty file, with its directories: what a file is bind-mounted on. */
export function makeFile(path: string): Operation[] {
  const parent = path.slice(0, path.lastIndexOf('/'));
  return [
    ...makeDirectories(parent),
    {
      call: 'mknodat',
      args: [atCwd, text(path), value(S_IFREG | 0o644, 'S_IFREG|0644'), 0],
      what: `make file ${path}`,
      onError: NEXT,
    },
  ];
}

function checkPlainDirectory(path: string, type: string): Operation {
  const how = words(
    [O_PATH | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS],
    '{O_PATH|O_DIRECTORY|O_CLOEXEC, RESOLVE_NO_SYMLINKS}',
  );
  return {
    call: 'openat2',
    args: [atCwd, text(path), how, SIZEOF_OPEN_HOW],
    what: `${type} must be mounted on ordinary directory ${path}`,
  };
}

/** Open a file of the kernel (a cgroup's, /proc's) and write a string into it. `name` is unique in the tape. */
export function writeFile(path: string, content: string, name: string): Operation[] {
  const fd = result(name);
  const flags = value(O_WRONLY | O_CLOEXEC, 'O_WRONLY|O_CLOEXEC');
  return [
    { call: 'openat', args: [atCwd, text(path), flags, 0], save: fd, what: `open ${path}` },
    { call: 'write', args: [fd, text(content), Buffer.byteLength(content)], what: `write '${content}' to ${path}` },
  ];
}

/** A number that people read in octal: modes. */
export function octal(mode: number): Value {
  return value(mode, `0${mode.toString(8)}`);
}
