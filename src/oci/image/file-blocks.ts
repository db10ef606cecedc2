// A piece of an open file as blocks.
import type { FileHandle } from 'node:fs/promises';

import { OciError } from '../error.ts';

import { BLOCK_BYTES } from './blob-ingest.ts';

/**
 * The bytes of `file` from `start` up to `end`, in buffers of their own. Throws OciError ARCHIVE_INVALID when the file ends
 * before that.
 */
export async function* fileBlocks(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let position = start; position < end;) {
    const block = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, end - position));
    const { bytesRead } = await file.read(block, 0, block.length, position);
    if (bytesRead === 0)
      throw new OciError('ARCHIVE_INVALID', `the file ends at byte ${position}, expected are ${end}`);
    position += bytesRead;
    yield bytesRead === block.length ? block : block.subarray(0, bytesRead);
  }
}
