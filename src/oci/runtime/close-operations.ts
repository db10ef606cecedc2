// close_range(2) in a tape: which descriptors a process keeps.
import { value, type Operation } from '../../linux/tape/operation.ts';

const LAST_FD = 0xffffffff;
const CLOSE_RANGE_CLOEXEC = value(4, 'CLOSE_RANGE_CLOEXEC');

/** Close every descriptor but these, which are in ascending order. */
export function closeAllBut(kept: readonly number[]): Operation[] {
  const starts = [0, ...kept.map((fd) => fd + 1)];
  const ends = [...kept.map((fd) => fd - 1), LAST_FD];
  return starts.flatMap((start, index) => {
    const end = ends[index] ?? LAST_FD;
    return start > end ? [] : [{ call: 'close_range', args: [start, end, 0], what: 'close what the host gave' }];
  });
}

/** Every descriptor but the standard streams ends with execve(2) (SEC-2). */
export function closeAtExec(): Operation {
  return { call: 'close_range', args: [3, LAST_FD, CLOSE_RANGE_CLOEXEC], what: 'keep no other descriptor over exec' };
}
