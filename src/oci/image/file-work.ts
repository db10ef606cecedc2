// What the main thread and a file worker say to each other. Every message names the job that it is about.
//
//   main                                   worker
//    │ unpack ─────────────────────────────▶│ opens the directory
//    │ bytes … or file ────────────────────▶│ inflates, hashes, writes
//    │◀───────────────────────────── taken … │ that many bytes were consumed: more may be sent
//    │ finish ─────────────────────────────▶│ verifies the digest, sets what had to wait
//    │◀──────────────────────── done, failed │ exactly one of them, once
//    │ abort (any time) ───────────────────▶│ closes everything, then failed
//    │ remove ─────────────────────────────▶│ removes a tree; done or failed
import { isErrno } from '../../linux/errno.ts';
import { OciError, type OciErrorCode } from '../error.ts';
import type { UnpackedLayer } from './layer-output.ts';

export type LayerFormat = 'erofs' | 'directory';

export type UnpackRequest = {
  /** The empty directory to unpack into. */
  readonly directory: string;
  /** Whether to keep the tar and make an image of it, where that can be done, or to extract it. */
  readonly format: LayerFormat;
  /** Of the uncompressed bytes. */
  readonly diffID: string;
  /** Most uncompressed bytes to accept. */
  readonly limitBytes: number;
  /** Of the file system, to be left free; undefined: see disk-space.ts. */
  readonly reserveBytes: number | undefined;
};

export type FileWorkRequest = { readonly job: number } & (
  | ({ readonly kind: 'unpack' } & UnpackRequest)
  /** Transferred, with all memory behind it. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Take the bytes from this file instead, and finish. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'finish' }
  | { readonly kind: 'abort' }
  | { readonly kind: 'remove'; readonly path: string }
);

export type FileWorkReport = { readonly job: number } & (
  | { readonly kind: 'taken'; readonly sizeBytes: number }
  | { readonly kind: 'done'; readonly summary: UnpackedLayer | undefined }
  | { readonly kind: 'failed'; readonly error: WireError }
);

/** An error that can be sent to another thread: structured clones of errors lose their class and code. */
export type WireError = { readonly code: OciErrorCode; readonly message: string };

/** An error as a message between threads can carry it, its code included. */
export function toWireError(error: unknown): WireError {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof OciError) return { code: error.code, message };
  return { code: isErrno(error, 'ENOSPC', 'EDQUOT') ? 'DISK_FULL' : 'UNPACK_FAILED', message };
}

/** The error that the other thread had. */
export function fromWireError({ code, message }: WireError): OciError {
  return new OciError(code, message);
}
