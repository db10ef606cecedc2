// `docker save | gzip`: a whole archive in compressed form. It has to be a plain file to be read at any offset.
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';

import { OciError } from '../error.ts';

import { requireSpace } from './disk-space.ts';
import { fileBlocks } from './file-blocks.ts';

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
const CHUNK_BYTES = 512 * 1024;
const SPACE_CHECK_BYTES = 64 * 1024 * 1024;
// What deflate can at most make of a byte is 1032; honest archives stay far below. SEC-24.
const MAX_RATIO = 200;
const RATIO_FLOOR_BYTES = 64 * 1024 * 1024;

type Inflating = { readonly temporaryPath: string; readonly reserveBytes: number | undefined };

/**
 * Inflate an archive that begins like gzip or zstd into a new file at `temporaryPath` and return it; undefined when the
 * archive is not compressed. Throws OciError ARCHIVE_INVALID when it grows beyond 200 times its size, DISK_FULL.
 */
export async function inflateArchive(
  file: FileHandle,
  { temporaryPath, reserveBytes }: Inflating,
): Promise<FileHandle | undefined> {
  const inflater = await inflaterFor(file);
  if (inflater === undefined) return undefined;
  const { size } = await file.stat();
  const output = await open(temporaryPath, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  const limitBytes = Math.max(RATIO_FLOOR_BYTES, size * MAX_RATIO);
  try {
    await pipeline(Readable.from(fileBlocks(file, 0, size)), inflater, (source: AsyncIterable<Buffer>) =>
      writeBounded(source, output, { limitBytes, temporaryPath, reserveBytes }),
    );
    return output;
  } catch (error) {
    await output.close();
    if (error instanceof OciError || (error instanceof Error && 'syscall' in error)) throw error;
    throw new OciError('ARCHIVE_INVALID', 'the archive is compressed, and damaged', { cause: error });
  }
}

async function inflaterFor(
  file: FileHandle,
): Promise<ReturnType<typeof createGunzip | typeof createZstdDecompress> | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
  if (bytesRead >= 2 && buffer.readUInt16BE(0) === 0x1f8b) return createGunzip({ chunkSize: CHUNK_BYTES });
  if (bytesRead === 4 && buffer.readUInt32LE(0) === 0xfd2fb528) return createZstdDecompress({ chunkSize: CHUNK_BYTES });
  return undefined;
}

async function writeBounded(
  source: AsyncIterable<Buffer>,
  output: FileHandle,
  { limitBytes, temporaryPath, reserveBytes }: Inflating & { readonly limitBytes: number },
): Promise<void> {
  let [writtenBytes, nextCheck] = [0, 0];
  for await (const chunk of source) {
    if (writtenBytes + chunk.length > limitBytes) {
      throw new OciError('ARCHIVE_INVALID', `the archive grows beyond ${limitBytes} bytes when it is inflated`);
    }
    if (writtenBytes >= nextCheck) {
      await requireSpace({ path: temporaryPath, neededBytes: SPACE_CHECK_BYTES, reserveBytes });
      nextCheck = writtenBytes + SPACE_CHECK_BYTES;
    }
    await output.appendFile(chunk);
    writtenBytes += chunk.length;
  }
}
