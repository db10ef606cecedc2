// Small tapes that need no privilege, and one with every kind of argument.
import { statusFd, exitGroup, failBlock } from '../../../src/linux/tape/blocks.ts';
import {
  bytes,
  FAILURE,
  FAILURE_SIZE,
  inside,
  result,
  stringVector,
  text,
  value,
  words,
  zone,
  type Operation,
  type Tape,
} from '../../../src/linux/tape/operation.ts';

/** One block `main`, and a `fail` block as every tape has. */
export function tapeOf(...operations: readonly Operation[]): Tape {
  return { name: 'sample', blocks: [{ label: 'main', zone: 'parent', operations }, failBlock('parent')] };
}

/** Writes `message` to a descriptor (default: the status pipe) and exits with 0. */
export function helloTape(message: string, fd = statusFd): Tape {
  return tapeOf(
    { call: 'write', args: [fd, text(message), Buffer.byteLength(message)], what: 'say hello' },
    exitGroup(0),
  );
}

/** Every kind of argument, both zones, results and jumps. For printing and laying out; it is not meant to run. */
export function everyArgumentTape(): Tape {
  const record = bytes(Buffer.alloc(16, 7), '');
  const fd = result('root');
  const pid = result('pid');
  return {
    name: 'every argument',
    blocks: [
      {
        label: 'monitor',
        zone: 'parent',
        operations: [
          {
            call: 'openat',
            args: [value(-100, 'AT_FDCWD'), text('/new root'), value(0o2000000, 'O_CLOEXEC'), 0],
            save: fd,
            what: 'open the root',
          },
          { call: 'fchdir', args: [fd], what: 'stand in the root', onError: 'next' },
          {
            call: 'clone3',
            args: [words([0x20000n, 0, 0, inside(record, 8), 17, 0, 0, 0, 0, 0, 0], '{CLONE_NEWNS}'), 88],
            save: pid,
            what: 'make a process',
            onZero: 'container',
          },
          { call: 'write', args: [statusFd, record, 16], what: 'report the pid' },
          { call: 'munmap', args: [zone('start'), zone('size')], what: 'let go of the memory of the child' },
          { call: 'waitid', args: [1, words([pid], ''), FAILURE, FAILURE_SIZE], what: 'show a nested result' },
          exitGroup(0),
        ],
      },
      failBlock('parent'),
      {
        label: 'container',
        zone: 'child',
        operations: [
          {
            call: 'execve',
            args: [text('/bin/sh'), stringVector(['sh', '-c', 'echo "hi"']), stringVector([])],
            what: 'run the program',
          },
        ],
      },
    ],
  };
}
