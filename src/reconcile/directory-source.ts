// A directory of manifests as a source: every change becomes a revision within a few milliseconds.
import { resolve } from 'node:path';

import { DirectoryChanges } from './directory-changes.ts';
import { pause } from './pause.ts';
import { readDirectory, type DirectoryContent, type OnDirectory } from './read-directory.ts';
import { SourceError, type Source, type SourceUpdate } from './source.ts';

/** So long nothing may change before a change counts as done; and the longest a restless directory is waited for. */
const QUIET_MS = 8;
const RESTLESS_MS = 250;
/** So long a file that is open for writing is waited for. After that its text is taken as it is. */
const UNFINISHED_MS = 5000;
/** What a watch may miss (network file systems, a lost event, a root that was replaced) is found after this. */
const RESCAN_MS = 30_000;
/** The same while there is nothing that could be watched. */
const FAILED_RESCAN_MS = 5_000;

export class DirectorySource implements Source {
  readonly name: string;
  readonly #root: string;

  /** `path` is made absolute; it need not exist yet. */
  constructor(path: string) {
    this.#root = resolve(path);
    this.name = this.#root;
  }

  async read(_signal: AbortSignal): Promise<SourceUpdate> {
    return updateOf(await contentOf(this.#root));
  }

  async *revisions(signal: AbortSignal): AsyncGenerator<SourceUpdate> {
    using changes = new DirectoryChanges(this.#root);
    let last: SourceUpdate | undefined;
    while (!signal.aborted) {
      const update = await this.#settled(changes, signal);
      if (signal.aborted) return;
      const news = newsOf(update, last);
      last = update;
      if (news !== undefined) yield news;
      await changes.next(update.kind === 'failed' ? FAILED_RESCAN_MS : RESCAN_MS, signal);
    }
  }

  /** Read until nothing changed meanwhile and nobody has a manifest open for writing, within bounds. */
  async #settled(changes: DirectoryChanges, signal: AbortSignal): Promise<SourceUpdate> {
    const begin = performance.now();
    for (;;) {
      await changes.quiet(QUIET_MS, begin + RESTLESS_MS, signal);
      changes.markSeen();
      const content = await contentOf(this.#root, (path, identity) => changes.visit(path, identity));
      if (!(content instanceof SourceError)) changes.forgetOthers();
      const elapsedMs = performance.now() - begin;
      const isRestless = changes.hasNew && elapsedMs < RESTLESS_MS;
      const isUnfinished = !(content instanceof SourceError) && content.isUnfinished && elapsedMs < UNFINISHED_MS;
      if (signal.aborted || (!isRestless && !isUnfinished)) return updateOf(content);
      if (isUnfinished) await pause(QUIET_MS, signal);
    }
  }
}

async function contentOf(root: string, onDirectory?: OnDirectory): Promise<DirectoryContent | SourceError> {
  try {
    return await readDirectory(root, onDirectory);
  } catch (error) {
    if (error instanceof SourceError) return error;
    throw error;
  }
}

function updateOf(content: DirectoryContent | SourceError): SourceUpdate {
  if (content instanceof SourceError) return { kind: 'failed', code: content.code, message: content.message };
  const { revision, files, images } = content;
  return { kind: 'revision', revision, files, images };
}

/** What to tell after `last`: a revision that is the same is `unchanged`, a failure that is the same is nothing. */
function newsOf(update: SourceUpdate, last: SourceUpdate | undefined): SourceUpdate | undefined {
  if (update.kind === 'failed') {
    return last?.kind === 'failed' && last.message === update.message ? undefined : update;
  }
  if (last?.kind !== 'revision' || last.revision !== update.revision) return update;
  return { kind: 'unchanged', revision: update.revision };
}
