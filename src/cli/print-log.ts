// A log file to standard output: the part of it that was asked for, and what is written from then on.
import { open, type FileHandle } from 'node:fs/promises';

import { seekData } from '../linux/fallocate.ts';
import { readMarks } from '../oci/pod/log-times.ts';
import { LineStamper } from './line-stamper.ts';
import { logTimes, type LogTimes } from './log-times.ts';
import type { Output } from './output/output.ts';
import { changed, copyRange, lineStart, tailOffset, type ByteRange, type SendBytes } from './tail-file.ts';

export type LogSelection = {
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
  readonly until: number | undefined;
  readonly tail: number | undefined;
  readonly timestamps: boolean;
};

export type LogRequest = LogSelection & {
  readonly path: string;
  /** An agent notes the times of what is written now. */
  readonly isWatched: () => boolean;
  /** Undefined: end with the end of the file. Else go on until it says so. */
  readonly hasEnded: (() => boolean) | undefined;
};

const VAGUE =
  'No agent watched while a part of this log was written: of its lines only the latest time is known at which they can have been written';

/** Print until the end, or until `signal` aborts. Rejects with what opening the file rejects with. */
export async function printLog(request: LogRequest, output: Output, signal: AbortSignal): Promise<void> {
  await using file = await open(request.path, 'r');
  const log = await timesOf(file, request);
  const range = await selectRange(file, log, request);
  const { since, until, timestamps, hasEnded } = request;
  const asksForTime = timestamps || since !== undefined || until !== undefined;
  if (asksForTime && log.times.isVague(range.begin, range.end)) output.note(`berth: ${VAGUE}`);
  const send = sender(log, request, output);
  if (hasEnded === undefined || (until !== undefined && until <= Date.now())) {
    await copyRange(file, range, send);
    return;
  }
  const stop = until === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(until - Date.now())]);
  for (let begin = range.begin; ;) {
    // Asked before reading: what it wrote before its end is there then.
    const ended = hasEnded();
    log.lastWrite = (await file.stat()).mtimeMs;
    begin = await copyRange(file, { begin, end: Infinity }, send);
    if (ended || stop.aborted) return;
    await changed(request.path, stop);
  }
}

type OpenLog = { readonly times: LogTimes; readonly size: number; readonly dataStart: number; lastWrite: number };

async function timesOf(file: FileHandle, { path, isWatched }: LogRequest): Promise<OpenLog> {
  const marks = readMarks(path);
  const { size, mtimeMs: lastWrite, birthtimeMs: birth } = await file.stat();
  const times = logTimes({ marks, size, lastWrite, birth, isWatched: isWatched() });
  return { times, size, lastWrite, dataStart: seekData(file.fd, 0) ?? size };
}

/** Whole lines, but for a last one that is still being written, and a first one whose beginning is gone. */
async function selectRange(file: FileHandle, log: OpenLog, { since, until, tail }: LogSelection): Promise<ByteRange> {
  const { times, size, dataStart } = log;
  const last = until === undefined ? size : times.end(until);
  const end = last >= size ? size : await lineStart(file, last);
  const from = since === undefined ? dataStart : times.begin(since);
  const first = since === undefined || from >= size ? from : await lineStart(file, from);
  const begin = Math.min(end, Math.max(first, dataStart));
  return { begin: tail === undefined ? begin : await tailOffset(file, tail, { begin, end }), end };
}

function sender(log: OpenLog, { timestamps }: LogSelection, output: Output): SendBytes {
  if (!timestamps) return (bytes) => output.send(bytes);
  const stamper = new LineStamper((offset) => (offset < log.size ? log.times.at(offset) : log.lastWrite));
  return (bytes, offset) => output.send(stamper.stamp(bytes, offset));
}
