// The end of a file, and what is written to it from then on. Positions are byte offsets; the head of a log may be a hole.
import { watch } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;
/** What a watch may miss is seen after this. */
const LOOK_MS = 500;

/** A part of a file, in bytes. */
export type ByteRange = { readonly begin: number; readonly end: number };

/** Offset at which the last `lines` lines of a range (default: the whole file) begin; a last line that is not ended counts. */
export async function tailOffset(file: FileHandle, lines: number, range?: ByteRange): Promise<number> {
  const { begin, end: size } = range ?? { begin: 0, end: (await file.stat()).size };
  if (lines === 0) return size;
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let found = 0;
  for (let end = size; end > begin;) {
    const start = Math.max(begin, end - CHUNK_BYTES);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      // The newline that ends the range ends the last line, it begins none.
      if (buffer[at] !== NEWLINE || start + at === size - 1) continue;
      found += 1;
      if (found === lines) return start + at + 1;
    }
    end = start;
  }
  return begin;
}

/** Where the line begins that the byte at `offset` is a part of; `offset` itself at the end of the file. */
export async function lineStart(file: FileHandle, offset: number): Promise<number> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (let end = offset; end > 0;) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    const newline = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (newline !== -1) return start + newline + 1;
    end = start;
  }
  return 0;
}

/** Takes bytes and the offset of the first one. */
export type SendBytes = (bytes: Buffer, offset: number) => Promise<void>;

/** Pass on the bytes of a range, as far as the file has them now; returns the offset behind the last one. */
export async function copyRange(file: FileHandle, { begin, end }: ByteRange, send: SendBytes): Promise<number> {
  for (let at = begin; ;) {
    const buffer = Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(0, end - at)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return at;
    const bytes = withoutHole(buffer.subarray(0, bytesRead));
    at += bytesRead;
    await send(bytes, at - bytes.length);
  }
}

/** A log that was bounded begins with zeros, where its blocks were given back. */
function withoutHole(bytes: Buffer): Buffer {
  if (bytes[0] !== 0) return bytes;
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? bytes.subarray(0, 0) : bytes.subarray(first);
}

/** Fulfilled when the file has changed, or a little later, or when `signal` aborts. */
export async function changed(path: string, signal: AbortSignal): Promise<void> {
  const woken = new AbortController();
  const either = AbortSignal.any([signal, woken.signal]);
  const watcher = watch(path, { persistent: false });
  try {
    const event = once(watcher, 'change', { signal: either });
    await Promise.race([event, sleep(LOOK_MS, undefined, { signal: either })]).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    woken.abort();
    await event.catch(() => undefined);
  } finally {
    watcher.close();
  }
}
