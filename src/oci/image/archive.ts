// The files of an image archive, be it a directory or a tar: found by name, read from any offset.

/** A regular file of an archive. */
export type ArchiveFile = {
  readonly sizeBytes: number;
  /** Its bytes from `offset` on, in blocks that the reader may keep. Throws OciError ARCHIVE_INVALID when it got shorter. */
  readonly read: (offset: number) => AsyncIterable<Buffer>;
};

export interface Archive extends AsyncDisposable {
  /** The file at a path such as `blobs/sha256/…`; undefined when there is none. Throws OciError ARCHIVE_INVALID. */
  find(path: string): Promise<ArchiveFile | undefined>;
}
