// The seam between the pull (bytes from the wire, verified) and the layer unpacker (bytes to files).

/** Receives the compressed bytes of one layer as they arrive and unpacks them. */
export interface LayerSink {
  /**
   * Takes ownership of the chunk (it may be transferred to a worker: do not touch it afterwards). Resolves or returns
   * when more may be written (back-pressure); a plain `undefined` means go on at once.
   */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /**
   * All bytes are in and their digest was right: resolves when the layer is unpacked, its diffID verified and it is
   * visible in the layer store.
   */
  commit(): Promise<void>;
  /** Throw away what was unpacked. Idempotent. */
  abort(): Promise<void>;
}

export type LayerSource = {
  /** Digest of the uncompressed tar. */
  readonly diffID: string;
  readonly mediaType: string;
  /** Of the compressed blob, from its descriptor. */
  readonly sizeBytes: number;
};

export interface LayerStore {
  /** Whether the layer is unpacked and committed. */
  has(diffID: string): boolean;
  /** The directory to use as an overlay lower directory. Throws OciError LAYER_MISSING. */
  directory(diffID: string): string;
  /** Layers will begin soon: start what takes time to start. */
  prepare?(): void;
  begin(layer: LayerSource, signal?: AbortSignal): Promise<LayerSink>;
  /** Unpack from a committed blob file. */
  unpackBlob(layer: LayerSource, blobPath: string, signal?: AbortSignal): Promise<void>;
  remove(diffID: string): Promise<void>;
  list(): string[];
}
