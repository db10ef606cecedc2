// Where manifests come from. One contract for directories and Git repositories: test/contract/source.ts.

/** A manifest file: its path within the source, with `/`, and its text. */
export type SourceFile = { readonly path: string; readonly text: string };

/** An image archive or layout that came with the manifests, as a path on this machine. */
export type SourceImage = {
  readonly path: string;
  /** Changes whenever the content may have changed. */
  readonly version: string;
};

export type SourceUpdate =
  | {
      readonly kind: 'revision';
      /** A commit id, or a digest of the content. The same content has the same revision. */
      readonly revision: string;
      /** Sorted by path. */
      readonly files: readonly SourceFile[];
      readonly images: readonly SourceImage[];
    }
  /** The source was asked and had nothing new. */
  | { readonly kind: 'unchanged'; readonly revision: string }
  /** The source cannot be read now. What runs stays as it is. */
  | { readonly kind: 'failed'; readonly code: SourceErrorCode; readonly message: string };

export type SourceErrorCode =
  /** The directory, repository, branch or path is not there. */
  | 'SOURCE_MISSING'
  /** The repository cannot be reached, or it refused the credentials. */
  | 'SOURCE_UNREACHABLE'
  /** What is there is not what a source may hold: a file that is no text, a link that leads out, too much of it. */
  | 'SOURCE_INVALID'
  /** A signature is required, and the revision has none. */
  | 'SOURCE_UNSIGNED'
  /** The signature is not over this revision, damaged, or of another kind than required. */
  | 'SOURCE_SIGNATURE_INVALID'
  /** The key was good, but not at that time, or it was revoked. */
  | 'SOURCE_SIGNER_EXPIRED'
  /** The key is none of those that may sign. */
  | 'SOURCE_SIGNER_UNKNOWN'
  /** The revision does not come after the one that is in force. */
  | 'SOURCE_ROLLBACK'
  /** The operating system failed: permissions, disk, the git program. */
  | 'SOURCE_IO';

export class SourceError extends Error {
  readonly code: SourceErrorCode;

  constructor(code: SourceErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'SourceError';
    this.code = code;
  }
}

export interface Source {
  /** As the user wrote it, made absolute; without credentials. Names the source in records and metrics. */
  readonly name: string;
  /**
   * Updates from now on: first what is there, then every change, coalesced: a slow reader gets the newest. Never throws
   * for a source that is bad: that is a `failed` update, and the source goes on looking. Ends when `signal` aborts.
   */
  revisions(signal: AbortSignal): AsyncIterable<SourceUpdate>;
  /** The present content, once. For `berth plan` and `--once`. */
  read(signal: AbortSignal): Promise<SourceUpdate>;
  /**
   * Told of the revision that is in force, each time it is seen to be. A source that refuses what is older remembers it,
   * durably. Rejects when it cannot.
   */
  applied?(revision: string, signal: AbortSignal): Promise<void>;
  /** Look as soon as may be: somebody says that there is something new. */
  hurry?(): void;
}
