// Regroups what arrives from the network into blocks that are worth a system call, each in memory of its own, so that it
// can be handed to another thread.
import { BLOCK_BYTES } from './blob-ingest.ts';
import type { OpenBlob } from './image-source.ts';

// From here on a chunk is passed on as it is; smaller ones (a slow line) are collected.
const LARGE_BYTES = 64 * 1024;

/**
 * The bytes of an open blob from `position` up to its end, in blocks of at most 512 KiB, few of them small. What arrived
 * before a cut is yielded before the source's failure is thrown. More bytes than `size` are yielded as they come: the
 * reader refuses them.
 */
export async function* blocksOf(opened: OpenBlob, position: number, size: number): AsyncGenerator<Buffer> {
  const collector = new Collector(size - position);
  let skip = position - opened.offset;
  let failure: unknown;
  try {
    for await (const chunk of opened.body) {
      const from = Math.min(skip, chunk.length);
      skip -= from;
      yield* collector.take(from === 0 ? chunk : chunk.subarray(from));
    }
  } catch (error) {
    failure = opened.failure(error);
  }
  yield* collector.flush();
  if (failure !== undefined) throw failure;
}

/** Give the memory of a block back now instead of at some garbage collection: a pull would pile up 60 MB of them. */
export function freeBlock(block: Uint8Array): void {
  if (ownsMemory(block) && block.buffer instanceof ArrayBuffer) block.buffer.transfer(0);
}

class Collector {
  #block: Buffer | undefined;
  #filled = 0;
  #remaining: number;

  constructor(remaining: number) {
    this.#remaining = remaining;
  }

  *take(chunk: Buffer): Generator<Buffer> {
    this.#remaining -= chunk.length;
    if (chunk.length >= LARGE_BYTES) {
      yield* this.flush();
      yield ownsMemory(chunk) ? chunk : copyOf(chunk);
      return;
    }
    for (let from = 0; from < chunk.length;) {
      this.#block ??= Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, Math.max(LARGE_BYTES, this.#remaining)));
      const copied = chunk.copy(this.#block, this.#filled, from);
      from += copied;
      this.#filled += copied;
      if (this.#filled === this.#block.length) yield* this.flush();
    }
  }

  *flush(): Generator<Buffer> {
    const block = this.#block;
    const filled = this.#filled;
    this.#block = undefined;
    this.#filled = 0;
    if (block !== undefined && filled > 0) yield block.subarray(0, filled);
  }
}

// Whether the bytes are the whole of their memory, so that nothing else can be in it.
function ownsMemory({ byteOffset, byteLength, buffer }: Uint8Array): boolean {
  return byteOffset === 0 && byteLength === buffer.byteLength;
}

function copyOf(chunk: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(chunk.length);
  chunk.copy(copy);
  return copy;
}
