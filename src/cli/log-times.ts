// Which bytes of a log a person means by "since" and "until", and when a byte was written. Pure.
import { LOOK_MS, type LogMark } from '../oci/pod/log-times.ts';

export type TimedLog = {
  readonly marks: readonly LogMark[];
  /** Its length now, and its last write in milliseconds since the epoch. */
  readonly size: number;
  readonly lastWrite: number;
  /** When the file was made. */
  readonly birth: number;
  /** Whether an agent is watching it: what the marks do not cover yet was written a moment ago. */
  readonly isWatched: boolean;
};

export type LogTimes = {
  /** Bytes that were written at `since` or later, as far as is known: never too few. */
  readonly begin: (since: number) => number;
  /** Bytes that were written until then, as far as is known: never too few. */
  readonly end: (until: number) => number;
  /** The latest time at which the byte at `offset` can have been written. */
  readonly at: (offset: number) => number;
  /** Whether times between two offsets are known no better than "between these two", by more than a look. */
  readonly isVague: (begin: number, end: number) => boolean;
};

/** A stretch of a log: all of it was written between `from` and `to`. */
type Stretch = { readonly begin: number; readonly end: number; readonly from: number; readonly to: number };

const SURE_MS = 2 * LOOK_MS;

/** What the marks say about a log. */
export function logTimes(log: TimedLog): LogTimes {
  const stretches = stretchesOf(log);
  return {
    begin: (since) => stretches.find(({ to }) => to >= since)?.begin ?? log.size,
    end: (until) => stretches.findLast(({ from }) => from <= until)?.end ?? 0,
    at: (offset) => stretches[indexOf(stretches, offset)]?.to ?? log.lastWrite,
    isVague: (begin, end) => stretches.some((one) => one.end > begin && one.begin < end && one.to - one.from > SURE_MS),
  };
}

function stretchesOf({ marks, size, lastWrite, birth, isWatched }: TimedLog): Stretch[] {
  const last = marks.at(-1)?.end ?? 0;
  const rest = size > last ? [{ end: size, time: lastWrite, gap: !isWatched }] : [];
  let before = { end: 0, time: birth };
  return [...marks, ...rest].map((mark) => {
    const from = mark.gap ? before.time : Math.max(before.time, mark.time - SURE_MS);
    const stretch = { begin: before.end, end: mark.end, from: Math.min(from, mark.time), to: mark.time };
    before = mark;
    return stretch;
  });
}

/** The stretch that holds a byte: the first one that ends behind it. */
function indexOf(stretches: readonly Stretch[], offset: number): number {
  let [low, high] = [0, stretches.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stretches[middle]?.end ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
