// Tape operations that make and check places in the container's own tree. They run after pivot_root: no path leaves it.
import { NEXT } from '../../linux/tape/assemble.ts';
import { result, text, value, words, type Operation, type Value } from '../../linux/tape/operation.ts';
import { O_CLOEXEC, O_DIRECTORY, O_PATH, O_WRONLY } from '../../linux/at.ts';
import { AT_FDCWD } from '../../linux/mount-flags.ts';
import { RESOLVE_NO_SYMLINKS } from '../../linux/openat2.ts';

export const atCwd = value(AT_FDCWD, 'AT_FDCWD');

const S_IFREG = 0o100000;

/** mkdir -p: every missing directory of an absolute path. What exists stays; what cannot be made fails at its use. */
export function makeDirectories(path: string): Operation[] {
  if (/^\/(proc|sys)\/./.test(path)) return []; // the kernel's own directories are there, or cannot be made
  const names = path.split('/').filter((name) => name !== '');
  return names.map((_, index) => {
    const directory = `/${names.slice(0, index + 1).join('/')}`;
    return {
      call: 'mkdirat',
      args: [atCwd, text(directory), octal(0o755)],
      what: `make directory ${directory}`,
      onError: NEXT,
    };
  });
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

/** Fail unless `path` is a directory with no symbolic link on the way: for /proc and /sys (CVE-2019-19921). */
export function checkPlainDirectory(path: string): Operation {
  const how = words(
    [O_PATH | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS],
    '{O_PATH|O_DIRECTORY|O_CLOEXEC, RESOLVE_NO_SYMLINKS}',
  );
  return { call: 'openat2', args: [atCwd, text(path), how, 24], what: `check that ${path} is an ordinary directory` };
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
