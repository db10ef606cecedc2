// The process that a scope is made with: systemd makes none that is empty, and forgets one that becomes so. It waits at a pipe until
// a process of the container is in the scope, and ends when this process does.
import { closeSync } from 'node:fs';

import { setBlocking } from '../../../linux/fcntl.ts';
import type { Fd } from '../../../linux/fd.ts';
import { pageSize } from '../../../linux/page-size.ts';
import { pipe } from '../../../linux/pipe.ts';
import { assemble } from '../../../linux/tape/assemble.ts';
import { exitGroup, failBlock } from '../../../linux/tape/blocks.ts';
import { hostArchitecture } from '../../../linux/tape/machine-code.ts';
import { bytes, value, type Tape } from '../../../linux/tape/operation.ts';
import { exitCode } from '../../../linux/tape/run.ts';
import { spawnTape } from '../../../linux/tape/spawn.ts';
import { closeAllBut } from '../close-operations.ts';

const LEAVE_FD = 9;

export type Placeholder = {
  readonly pid: number;
  /** Let it end, and reap it. Once; again it does nothing. */
  readonly leave: () => Promise<void>;
};

/** Start it. Throws SyscallError. */
export function startPlaceholder(): Placeholder {
  const { read, write } = pipe();
  using theirs = read;
  using stack = new DisposableStack();
  stack.use(write);
  setBlocking(theirs.number); // the tape waits in read(2)
  const status = pipe();
  using _statusRead = status.read;
  using statusWrite = status.write;
  const tape = assemble(placeholderTape(), hostArchitecture(), pageSize());
  const fds = [[theirs.number, LEAVE_FD]] as const;
  const pid = spawnTape(tape, { argv: ['berth-scope'], status: statusWrite.number, fds });
  stack.move();
  let left: Promise<void> | undefined;
  return { pid, leave: () => (left ??= leave(write, pid)) };
}

/** What it does. */
export function placeholderTape(): Tape {
  return {
    name: 'placeholder',
    blocks: [
      {
        label: 'wait',
        zone: 'parent',
        operations: [
          ...closeAllBut([LEAVE_FD]),
          {
            call: 'read',
            args: [value(LEAVE_FD, 'leave'), bytes(Buffer.alloc(8), '<byte>'), 1],
            what: 'wait in the scope',
          },
          exitGroup(0),
        ],
      },
      failBlock('parent'),
    ],
  };
}

async function leave(write: Fd, pid: number): Promise<void> {
  closeSync(write.release());
  await exitCode(pid);
}
