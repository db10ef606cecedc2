// `<run>.log.times`, beside a log file: when its bytes were written. The container writes the log itself, so nothing stands in
// between that could stamp each line; the agent looks when the file changes and notes how long it was at which time.
//
//   16 bytes a mark, in order:  uint64 end     the file's size at the look
//                               int64  time    its last write then, in ms since the epoch; negative: nobody was watching
//
// So the bytes from one mark's end to the next one's were written at or before the next one's time.
import { appendFileSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';

import { isErrno } from '../../linux/errno.ts';

/** While a log is written to, it is looked at this often: what a time is worth. */
export const LOOK_MS = 1000;

/** The bytes before `end` that no earlier mark covers. */
export type LogMark = {
  readonly end: number;
  /** When the last of these bytes was written, in milliseconds since the epoch. */
  readonly time: number;
  /** The first of them may have been written at any time since the mark before this one: no agent was watching. */
  readonly gap: boolean;
};

const MARK_BYTES = 16;
/** More marks than this are thinned out: 1 MiB. */
const MOST_MARKS = 65_536;

/** Where the times of a log file are kept. */
export function timesFile(logFile: string): string {
  return `${logFile}.times`;
}

/** The bytes of marks. Pure. */
export function formatMarks(marks: readonly LogMark[]): Buffer {
  const bytes = Buffer.alloc(marks.length * MARK_BYTES);
  for (const [index, { end, time, gap }] of marks.entries()) {
    const at = index * MARK_BYTES;
    bytes.writeBigUInt64LE(BigInt(end), at);
    bytes.writeBigInt64LE(BigInt(Math.round(time)) * (gap ? -1n : 1n), at + 8);
  }
  return bytes;
}

/** The marks in the bytes; what a power cut left of a last one is none. Pure. */
export function parseMarks(bytes: Buffer): LogMark[] {
  const count = Math.floor(bytes.length / MARK_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const at = index * MARK_BYTES;
    const time = Number(bytes.readBigInt64LE(at + 8));
    return { end: Number(bytes.readBigUInt64LE(at)), time: Math.abs(time), gap: time < 0 };
  });
}

/** The marks of a log file, oldest first; none when nobody ever watched it. */
export function readMarks(logFile: string): LogMark[] {
  try {
    return parseMarks(readFileSync(timesFile(logFile)));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** The last mark of a log file, undefined when there is none. What a power cut left of a later one is cut off. */
export function lastMark(logFile: string): LogMark | undefined {
  const path = timesFile(logFile);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size % MARK_BYTES !== 0) truncateSync(path, size - (size % MARK_BYTES));
  return readMarks(logFile).at(-1);
}

/** Append a mark. Beyond 1 MiB of marks they are thinned out; the log's bytes before `dataStart` are gone. */
export function appendMark(logFile: string, mark: LogMark, dataStart: () => number): void {
  const path = timesFile(logFile);
  appendFileSync(path, formatMarks([mark]), { mode: 0o600 });
  if (statSync(path).size <= MOST_MARKS * MARK_BYTES) return;
  // Whole or not at all: a reader sees the marks of before or those of after.
  writeFileSync(`${path}.new`, formatMarks(thinned(readMarks(logFile), dataStart())), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/**
 * Fewer marks for the same log: those of bytes that are gone go, and where that is not enough every second one of the older
 * half, so that old lines have coarser times. Pure.
 */
export function thinned(marks: readonly LogMark[], dataStart: number, most: number = MOST_MARKS): LogMark[] {
  const kept = marks.filter(({ end }) => end > dataStart);
  if (kept.length <= most / 2) return kept;
  const older = Math.floor(kept.length / 4) * 2;
  return [...pairs(kept.slice(0, older)), ...kept.slice(older)];
}

/** Two marks as one. It is a gap when its bytes were written over more time than one look. */
function pairs(marks: readonly LogMark[]): LogMark[] {
  return marks.flatMap((mark, index) => {
    const before = marks[index - 1];
    if (index % 2 === 0 || before === undefined) return [];
    return [{ ...mark, gap: mark.gap || before.gap || mark.time - before.time > 2 * LOOK_MS }];
  });
}
