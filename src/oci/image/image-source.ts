// Where an image comes from: a registry, a layout, an archive. One contract, so that all of them are verified alike.
import type { Descriptor } from './manifest.ts';
import type { RetryPolicy } from './registry/retry.ts';

export type FetchedManifest = {
  readonly bytes: Uint8Array;
  readonly digest: string;
  /** What the source says it is, if it says. */
  readonly contentType: string | undefined;
};

/** The bytes of a blob from `offset` on, which may be less than was asked for. */
export type OpenBlob = {
  readonly offset: number;
  readonly body: AsyncIterable<Buffer>;
  /** The error to throw when the body fails: a TransientFailure where it may be resumed. */
  readonly failure: (cause: unknown) => Error;
};

export interface ImageSource {
  readonly retry: RetryPolicy;
  /** The manifest or index of a tag or digest, verified when it is a digest. */
  manifest(target: string, signal?: AbortSignal): Promise<FetchedManifest>;
  /** A whole small blob, verified. */
  blob(descriptor: Descriptor, signal?: AbortSignal): Promise<Buffer>;
  /** Start to read a blob: not verified, the reader does that. Throws TransientFailure or OciError. */
  openBlob(descriptor: Descriptor, offset: number, signal?: AbortSignal): Promise<OpenBlob>;
}
