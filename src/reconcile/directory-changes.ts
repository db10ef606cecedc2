// Whether something below a directory has changed: when to look, not what has happened.
import { realpathSync, statSync, watch as watchDirectory, type FSWatcher as NodeWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';

import { watch, type FSWatcher } from 'chokidar';

import { MAX_SOURCE_DEPTH } from './manifest-path.ts';
import { pause } from './pause.ts';

/**
 * Changes below a directory, and of the directory itself: it may come, go, or be replaced. Links are not
 * followed: what they lead to is watched where it is, or not at all.
 */
export class DirectoryChanges implements AsyncDisposable {
  #count = 0;
  /** Of the last change that the kernel told of: chokidar tells of the same ones again, some of them much later. */
  #lastChange = 0;
  readonly #root: string;
  readonly #parent: NodeWatcher | undefined;
  #watched: string | undefined;
  #tree: FSWatcher;
  #wake: (() => void) | undefined;
  #seen = 0;

  constructor(root: string) {
    this.#root = root;
    this.#tree = this.#watchTree();
    this.#parent = this.#watchParent();
  }

  /** Whether something changed since `markSeen`. */
  get hasNew(): boolean {
    return this.#count !== this.#seen;
  }

  /** All changes up to now are going to be looked at. */
  markSeen(): void {
    this.#seen = this.#count;
  }

  /** Fulfilled when something has changed since `markSeen`, after `timeoutMs`, or when `signal` aborts. */
  async next(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.hasNew || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, timeoutMs);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
    // Another file system was mounted in its place, say: no event tells of that.
    if (!signal.aborted && identity(realPath(this.#root)) !== this.#watched) this.#rootChanged();
  }

  /** Fulfilled when nothing has changed for `quietMs`, at the latest at `deadline` (of performance.now()). */
  async quiet(quietMs: number, deadline: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && performance.now() < deadline) {
      const restMs = this.#lastChange + quietMs - performance.now();
      if (restMs <= 0) return;
      await pause(Math.ceil(restMs), signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#parent?.close();
    await this.#tree.close();
  }

  #changed(): void {
    this.#count += 1;
    this.#wake?.();
  }

  #watchTree(): FSWatcher {
    const place = realPath(this.#root);
    this.#watched = identity(place);
    const ignored = (path: string) => path !== place && basename(path).startsWith('.');
    const tree = watch(place, { ignoreInitial: true, followSymlinks: false, depth: MAX_SOURCE_DEPTH, ignored });
    tree.on('all', () => this.#changed());
    // Changes of ignored names count as well: `..data` of a ConfigMap mount is one.
    tree.on('raw', () => {
      this.#lastChange = performance.now();
      this.#changed();
    });
    // What changed before the watch was in place.
    tree.on('ready', () => this.#changed());
    // No more watches, say: the rescan still finds every change.
    tree.on('error', () => {});
    return tree;
  }

  /** A watch holds on to an inode: when the root is replaced, watch the new one. */
  #watchParent(): NodeWatcher | undefined {
    try {
      const parent = watchDirectory(dirname(this.#root), (_event, name) => {
        if (name === basename(this.#root)) this.#rootChanged();
      });
      parent.on('error', () => {});
      return parent;
    } catch {
      // There is no parent directory: the rescan finds the root when it comes.
      return undefined;
    }
  }

  #rootChanged(): void {
    this.#lastChange = performance.now();
    // A closed watcher tells of nothing more; nobody needs to know when it is done.
    void this.#tree.close();
    this.#tree = this.#watchTree();
    this.#changed();
  }
}

/** Differs when another directory is in the place; undefined when there is none. */
function identity(path: string): string | undefined {
  const info = statSync(path, { throwIfNoEntry: false, bigint: true });
  return info === undefined ? undefined : `${info.dev}:${info.ino}`;
}

/** The directory behind a link; the path itself while there is none. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
