// One layer from its source to the disk, streamed once: each block is hashed, written to the content store's ingest file and
// handed to the unpacker. Cut connections are resumed where they broke.
import { isOciError, OciError } from '../error.ts';

import { BlobIngest, withBlobLock } from './blob-ingest.ts';
import { blocksOf, freeBlock } from './blocks.ts';
import { blobPath, hasBlob, isIntact, removeBlob, type ContentStore } from './content-store.ts';
import { requireSpace } from './disk-space.ts';
import type { ImageSource } from './image-source.ts';
import type { LayerSink, LayerSource, LayerStore } from './layer-sink.ts';
import type { Descriptor } from './manifest.ts';
import { pauseBeforeRetry, TransientFailure } from './registry/retry.ts';

// A try that brought less than this counts as fruitless.
const PROGRESS_BYTES = 64 * 1024;
const SPACE_CHECK_BYTES = 64 * 1024 * 1024;

export type LayerFetch = {
  readonly store: ContentStore;
  readonly layers: LayerStore;
  readonly source: ImageSource;
  readonly descriptor: Descriptor;
  readonly diffID: string;
  readonly reserveBytes: number | undefined;
  readonly onProgress: (phase: 'download' | 'unpack' | 'done', doneBytes: number) => void;
  readonly signal: AbortSignal;
};

/** Bring a layer into the content store and the layer store, doing only what is missing. Throws OciError. */
export async function fetchLayer(fetch: LayerFetch): Promise<void> {
  const { store, layers, descriptor, diffID, signal, onProgress } = fetch;
  if (!hasBlob(store, descriptor) || !layers.has(diffID)) {
    await withBlobLock(store, descriptor, { work: () => bring(fetch), signal });
  }
  onProgress('done', descriptor.size);
}

async function bring(fetch: LayerFetch): Promise<void> {
  const { store, layers, descriptor, diffID, signal, onProgress } = fetch;
  if (!hasBlob(store, descriptor)) return download(fetch);
  if (layers.has(diffID)) return;
  onProgress('unpack', descriptor.size);
  try {
    await layers.unpackBlob(layerSource(fetch), blobPath(store, descriptor.digest), signal);
  } catch (error) {
    // The blob was right when it came in: when it no longer is, the disk lost it, and the registry has another one.
    if (signal.aborted || (await isIntact(store, descriptor.digest))) throw error;
    await removeBlob(store, descriptor.digest);
    await download(fetch);
  }
}

async function download(fetch: LayerFetch): Promise<void> {
  const { digest } = fetch.descriptor;
  await using ingest = await BlobIngest.open(fetch.store, fetch.descriptor);
  // A second time from byte 0 when the first was put together from pieces: those of an earlier process may have been lost
  // in a power cut, and pieces may come from different servers.
  if ((await transfer(fetch, ingest)) === 'wrong pieces' && (await transfer(fetch, ingest)) === 'wrong pieces') {
    throw new OciError('DIGEST_MISMATCH', `the bytes that came for blob ${digest} have another digest, twice`);
  }
}

async function transfer(fetch: LayerFetch, ingest: BlobIngest): Promise<'done' | 'wrong pieces'> {
  const { layers, descriptor, diffID, signal, onProgress } = fetch;
  const sink = layers.has(diffID) ? undefined : await layers.begin(layerSource(fetch), signal);
  try {
    if (!(await receiveVerified(fetch, ingest, sink))) {
      await sink?.abort();
      return 'wrong pieces';
    }
    onProgress('unpack', descriptor.size);
    await commit(ingest, sink);
    return 'done';
  } catch (error) {
    await sink?.abort();
    throw error;
  }
}

/** Resolves to false when the bytes are wrong and came in pieces; wrong bytes in one piece are the source's: throws. */
async function receiveVerified(fetch: LayerFetch, ingest: BlobIngest, sink: LayerSink | undefined): Promise<boolean> {
  try {
    await receive(fetch, ingest, sink);
  } catch (error) {
    // The unpacker may see wrong bytes long before the digest can tell. They must not be resumed.
    if (!isOciError(error, 'LAYER_INVALID', 'TAR_INVALID', 'UNSAFE_PATH')) throw error;
    const { inPieces } = ingest;
    await ingest.reset();
    if (inPieces) return false;
    throw error;
  }
  const { inPieces } = ingest;
  if (await ingest.verify()) return true;
  if (inPieces) return false;
  throw new OciError('DIGEST_MISMATCH', `the bytes that came for blob ${fetch.descriptor.digest} have another digest`);
}

/** Both at once: the disk flushes the blob while the unpacker finishes. */
async function commit(ingest: BlobIngest, sink: LayerSink | undefined): Promise<void> {
  const outcomes = await Promise.allSettled([sink?.commit(), ingest.commit()]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** Receive until the blob is complete, however often the connection is cut, while every try brings it further. */
async function receive(fetch: LayerFetch, ingest: BlobIngest, sink: LayerSink | undefined): Promise<void> {
  const { source, descriptor, signal } = fetch;
  for await (const block of ingest.replay()) await (sink === undefined ? freeBlock(block) : sink.write(block));
  for (let fruitless = 0; ingest.receivedBytes < descriptor.size;) {
    const before = ingest.receivedBytes;
    try {
      await receivePiece(fetch, ingest, sink);
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      signal.throwIfAborted();
      fruitless = ingest.receivedBytes - before >= PROGRESS_BYTES ? 1 : fruitless + 1;
      await pauseBeforeRetry(source.retry, fruitless, error, signal);
    }
  }
}

async function receivePiece(fetch: LayerFetch, ingest: BlobIngest, sink: LayerSink | undefined): Promise<void> {
  const { source, descriptor, signal, onProgress, store, reserveBytes } = fetch;
  const opened = await source.openBlob(descriptor, ingest.receivedBytes, signal);
  ingest.startPiece();
  let nextCheck = ingest.receivedBytes + SPACE_CHECK_BYTES;
  for await (const block of blocksOf(opened, ingest.receivedBytes, descriptor.size)) {
    await ingest.append(block);
    onProgress('download', ingest.receivedBytes);
    if (sink === undefined) freeBlock(block);
    else await sink.write(block);
    if (ingest.receivedBytes < nextCheck) continue;
    nextCheck += SPACE_CHECK_BYTES;
    await requireSpace({ path: store.directory, neededBytes: 0, reserveBytes });
  }
  if (ingest.receivedBytes === descriptor.size) return;
  const short = `blob ${descriptor.digest} ended after ${ingest.receivedBytes} of ${descriptor.size} bytes`;
  throw new TransientFailure(new OciError('SIZE_MISMATCH', short));
}

function layerSource({ diffID, descriptor }: LayerFetch): LayerSource {
  return { diffID, mediaType: descriptor.mediaType, sizeBytes: descriptor.size };
}
