// Descriptors of the caller that the program gets at the same numbers, 3 and up. A tape has others there: until it needs none of
// them any more, the caller's are parked above, and then its own go out of the way.
//
//   spawn  3 ─▶ 256+3, 4 ─▶ 256+4 …      tape: status = 3, pidfd or terminal = 4, 5 …
//   at the end  status ─▶ 250, exit file ─▶ 251;  256+3 ─▶ 3, 256+4 ─▶ 4 …
import { NEXT } from '../../linux/tape/assemble.ts';
import { exitGroup } from '../../linux/tape/blocks.ts';
import { FAILURE, FAILURE_SIZE, value, type Block, type Operation } from '../../linux/tape/operation.ts';
import { FAILED_EXIT_CODE } from '../../linux/tape/run.ts';
import { STATUS_FD } from '../../linux/tape/spawn.ts';
import { OciError } from '../error.ts';
import { EXIT_FD } from './monitor-operations.ts';
import { FAILURE_OFFSET } from './exit-file.ts';

const PARKED = 256;
const STATUS_ASIDE = 250;
const EXIT_ASIDE = 251;
const O_CLOEXEC = value(0o2000000, 'O_CLOEXEC');
const LABEL = 'fail-aside';

/** [ours, theirs] for spawnTape, before all others: their numbers are given to the tape's own. Throws OciError CONFIG_INVALID. */
export function parkedFds(fds: readonly number[] = []): readonly (readonly [from: number, to: number])[] {
  const last = fds.at(-1) ?? 0;
  if (last >= STATUS_ASIDE)
    throw new OciError(
      'CONFIG_INVALID',
      `Cannot preserve descriptor ${last}: ${STATUS_ASIDE - 1} is the last possible`,
    );
  return fds.map((fd) => [fd, PARKED + fd]);
}

/** The numbers to keep until then, in ascending order. */
export function parkedNumbers(fds: readonly number[] = []): readonly number[] {
  return fds.map((fd) => PARKED + fd);
}

/** Move them to where the program looks for them. What follows goes through `failingAside`. */
export function preserveOperations(
  fds: readonly number[] = [],
  { exitFile }: { readonly exitFile: boolean },
): Operation[] {
  if (fds.length === 0) return [];
  return [
    aside(STATUS_FD, STATUS_ASIDE, 'put the status pipe aside'),
    ...(exitFile ? [aside(EXIT_FD, EXIT_ASIDE, 'put the exit file aside')] : []),
    ...fds.map((fd): Operation => ({
      call: 'dup3',
      args: [PARKED + fd, fd, 0],
      what: `give the program descriptor ${fd}`,
    })),
  ];
}

function aside(fd: number, to: number, what: string): Operation {
  return { call: 'dup3', args: [fd, to, O_CLOEXEC], what };
}

/** The operations after `preserveOperations`: what fails is reported where the descriptors are now. */
export function failingAside(operations: readonly Operation[], fds: readonly number[] = []): readonly Operation[] {
  if (fds.length === 0) return operations;
  const moved = operations.findLastIndex(({ what }) => what.startsWith('give the program descriptor'));
  return operations.map((operation, index) =>
    index <= moved || operation.onError !== undefined ? operation : { ...operation, onError: LABEL },
  );
}

/** The block that they go to. */
export function failAsideBlocks(fds: readonly number[] = [], { exitFile }: { readonly exitFile: boolean }): Block[] {
  if (fds.length === 0) return [];
  const report: Operation = {
    call: 'write',
    args: [STATUS_ASIDE, FAILURE, FAILURE_SIZE],
    what: 'report the failed operation',
    onError: NEXT,
  };
  const record: Operation = {
    call: 'pwrite64',
    args: [EXIT_ASIDE, FAILURE, FAILURE_SIZE, FAILURE_OFFSET],
    what: 'write the failure to the exit file',
    onError: NEXT,
  };
  const operations = [report, ...(exitFile ? [record] : []), exitGroup(FAILED_EXIT_CODE)];
  return [{ label: LABEL, zone: 'child', operations }];
}
