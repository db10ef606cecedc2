// What a layer's uncompressed bytes are made into, and what is known of it then.
import type { ErofsRecord } from './erofs/erofs-record.ts';

export type LayerSummary = {
  readonly entries: number;
  /** Of all files together. */
  readonly sizeBytes: number;
  /** Directories that no entry described, by path (bytes as latin1). */
  readonly implied: readonly string[];
  /** Nothing of the layers below shows at all. Overlayfs has no mark for that: whoever mounts must leave them out. */
  readonly opaqueRoot: boolean;
};

export type UnpackedLayer = LayerSummary & {
  /** Of a layer that is kept as its tar, with an image to mount it by; undefined: it is a directory. */
  readonly erofs?: ErofsRecord | undefined;
};

/** The directory that a layer is extracted to, the tar that it is kept as, and the EROFS image of the tar's files. */
export const TREE_NAME = 'root';
export const TAR_NAME = 'layer.tar';
export const IMAGE_NAME = 'layer.erofs';

/** Push the bytes of a tar into it, then `finish`. Dispose it in any case. After an error nothing of it may be used. */
export interface LayerOutput extends Disposable {
  /** How much to push before looking at the event loop again. */
  readonly sliceBytes: number;
  /** Throws OciError. The bytes are not needed afterwards. */
  push(bytes: Buffer): void;
  /** All bytes are in, and their digest was right: make what had to wait. Throws OciError. */
  finish(): UnpackedLayer;
}
