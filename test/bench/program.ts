// Peers as programs: found, run, and timed with as little in between as berth itself has: a tape that becomes the program.
import { execFileSync } from 'node:child_process';
import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { failBlock, statusFd } from '../../src/linux/tape/blocks.ts';
import { result, stringVector, text, value, type Operation } from '../../src/linux/tape/operation.ts';
import { runTape } from '../../src/linux/tape/run.ts';

const F_SETFD = value(2, 'F_SETFD');
const FD_CLOEXEC = value(1, 'FD_CLOEXEC');
const CLONE_NEWNS = value(0x20000, 'CLONE_NEWNS');
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Where a program of the system is, or undefined. Packages of node_modules do not count. */
export function findProgram(name: string): string | undefined {
  return SYSTEM_PATH.split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The first line that `PROGRAM --version` prints. */
export function programVersion(path: string): string {
  return (
    execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0] ?? ''
  );
}

export type ProgramOptions = {
  readonly environment?: readonly string[];
  /** `/proc/PID/ns/mnt` to run in. */
  readonly mountNamespace?: string | undefined;
  /** Its complaints go where ours go unless they are expected. */
  readonly complaints?: 'shown' | 'hidden';
};

/** Run a program to its end, input and output at /dev/null. Rejects when its exit code is not 0. */
export async function runProgram(argv: readonly string[], options: ProgramOptions = {}): Promise<void> {
  const [path = ''] = argv;
  const environment = options.environment ?? [`PATH=${SYSTEM_PATH}`, 'HOME=/root', 'XDG_RUNTIME_DIR=/run'];
  const operations: Operation[] = [
    ...(options.mountNamespace === undefined ? [] : enterMountNamespace(options.mountNamespace)),
    { call: 'fcntl', args: [statusFd, F_SETFD, FD_CLOEXEC], what: 'keep the status pipe from the program' },
    {
      call: 'execve',
      args: [text(path), stringVector(argv), stringVector(environment)],
      what: `run ${argv.join(' ')}`,
    },
  ];
  const tape = {
    name: 'program',
    blocks: [{ label: 'main', zone: 'parent', operations } as const, failBlock('parent')],
  };
  const sink = openSync('/dev/null', 'r+');
  try {
    await runTape(tape, {
      argv: ['berth-bench'],
      fds: [
        [sink, 0],
        [sink, 1],
        [options.complaints === 'hidden' ? sink : 2, 2],
      ],
    });
  } catch (error) {
    throw new Error(`Cannot run ${argv.join(' ')}`, { cause: error });
  } finally {
    closeSync(sink);
  }
}

function enterMountNamespace(path: string): Operation[] {
  const fd = result('mount namespace');
  return [
    {
      call: 'openat',
      args: [value(-100, 'AT_FDCWD'), text(path), value(0o2000000, 'O_CLOEXEC'), 0],
      save: fd,
      what: `open ${path}`,
    },
    { call: 'setns', args: [fd, CLONE_NEWNS], what: `enter the mount namespace ${path}` },
  ];
}
