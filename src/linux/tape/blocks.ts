// Blocks and operations that every tape needs.
import { FAILURE, FAILURE_SIZE, value, type Block, type Operation } from './operation.ts';
import { FAILED_EXIT_CODE } from './run.ts';
import { STATUS_FD } from './spawn.ts';
import { NEXT } from './assemble.ts';

export const statusFd = value(STATUS_FD, 'status');

/** Leave the tape with an exit code. */
export function exitGroup(code: number): Operation {
  return { call: 'exit_group', args: [code], what: `exit with code ${code}`, onError: NEXT, returns: 'never' };
}

/** The block that every failed operation goes to: tell which one failed and why, and end. */
export function failBlock(zone: Block['zone'], more: readonly Operation[] = []): Block {
  const report: Operation = {
    call: 'write',
    args: [statusFd, FAILURE, FAILURE_SIZE],
    what: 'report the failed operation',
    onError: NEXT,
  };
  return { label: 'fail', zone, operations: [report, ...more, exitGroup(FAILED_EXIT_CODE)] };
}
