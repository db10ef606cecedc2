// Regroups what arrives from the network into blocks that are worth a system call, each in a buffer of its own (network
// buffers may be shared between chunks, so they could not be handed to another thread).
import { BLOCK_BYTES } from './blob-ingest.ts';
import type { OpenBlob } from './registry/client.ts';
import { connectionFailure } from './registry/http.ts';

/**
 * The bytes of an open blob from `position` up to its end, in blocks of at most 512 KiB. What arrived before a cut is
 * yielded before TransientFailure is thrown. More bytes than `size` are yielded as they come: the reader refuses them.
 */
export async function* blocksOf(opened: OpenBlob, position: number, size: number): AsyncGenerator<Buffer> {
  let skip = position - opened.offset;
  let remaining = size - position;
  let block = newBlock(remaining);
  let filled = 0;
  let failure: unknown;
  try {
    for await (const chunk of opened.body as AsyncIterable<Buffer>) {
      let from = Math.min(skip, chunk.length);
      skip -= from;
      while (from < chunk.length) {
        const copied = chunk.copy(block, filled, from);
        from += copied;
        filled += copied;
        if (filled < block.length) continue;
        yield block;
        remaining -= filled;
        block = newBlock(remaining);
        filled = 0;
      }
    }
  } catch (error) {
    failure = connectionFailure(opened.url, error);
  }
  if (filled > 0) yield block.subarray(0, filled);
  if (failure !== undefined) throw failure;
}

function newBlock(remaining: number): Buffer {
  return Buffer.allocUnsafeSlow(Math.max(1, Math.min(BLOCK_BYTES, remaining)));
}
