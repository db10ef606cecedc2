// The wait between create and start: a FIFO in the container's state directory, from which one byte is read. It stays open
// until execve(2), or the end, closes it: that tells whoever starts the container what became of it.
import { exitGroup, statusFd } from '../../linux/tape/blocks.ts';
import { FAILED_EXIT_CODE } from '../../linux/tape/run.ts';
import { OciError } from '../error.ts';
import { bytes, result, text, value, type Operation } from '../../linux/tape/operation.ts';
import { atCwd } from './path-operations.ts';

/** Above all that has been opened when it is given out: dup3(2) of a descriptor to itself is an error. */
export const FIFO_FD = 62;
const fifoFd = value(FIFO_FD, 'fifo');
const O_CLOEXEC = value(0o2000000, 'O_CLOEXEC');

/** Open the FIFO for reading and writing, so that opening never blocks and reading never ends. */
export function openFifo(path: string | undefined): Operation[] {
  if (path === undefined) return [];
  const fd = result('start fifo');
  return [
    {
      call: 'openat',
      args: [atCwd, text(path), value(0o2000002, 'O_RDWR|O_CLOEXEC'), 0],
      save: fd,
      what: `open ${path}`,
    },
    { call: 'dup3', args: [fd, fifoFd, O_CLOEXEC], what: 'give the FIFO its number' },
  ];
}

/** Tell that all is ready, and wait for one byte: from then on nobody listens at the status pipe. */
export function waitForStart(path: string | undefined): Operation[] {
  if (path === undefined) return [];
  const ready = bytes(Buffer.alloc(16), '<ready>');
  return [
    { call: 'write', args: [statusFd, ready, 16], what: 'report that the container is created' },
    // Not closed: a failed report would take the place of the failure that it reports (see failBlock).
    { call: 'dup3', args: [fifoFd, statusFd, O_CLOEXEC], what: 'let go of the status pipe' },
    { call: 'read', args: [fifoFd, bytes(Buffer.alloc(8), '<byte>'), 1], what: 'wait for start' },
  ];
}

/** A container without a program: created it can be, started it cannot. */
export function waitForever(path: string | undefined): Operation[] {
  if (path === undefined) throw new OciError('CONFIG_INVALID', 'process is missing: there is no program to run');
  return [...waitForStart(path), exitGroup(FAILED_EXIT_CODE)];
}
