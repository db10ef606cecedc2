// Whether something below a directory has changed: when to look, not what has happened. inotify(7) by way of fs.watch.
import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';

import { pause } from './pause.ts';

/**
 * Changes in a set of directories that the reader of a tree hands in as it visits them, and of the root as a whole: it
 * may come, go, or be replaced. Where there are no watches to be had nothing is noticed; the caller looks at times anyway.
 */
export class DirectoryChanges implements Disposable {
  #count = 0;
  #seen = 0;
  #lastChange = 0;
  #wake: (() => void) | undefined;
  readonly #parent: FSWatcher | undefined;
  /** By path and inode: a watch holds on to an inode, whatever becomes of its path. */
  readonly #watches = new Map<string, FSWatcher>();
  readonly #visited = new Set<string>();

  constructor(root: string) {
    const name = basename(root);
    this.#parent = this.#watch(dirname(root), (changed) => changed === name);
  }

  /** Whether something changed since `markSeen`. */
  get hasNew(): boolean {
    return this.#count !== this.#seen;
  }

  /** All changes up to now are going to be looked at. */
  markSeen(): void {
    this.#seen = this.#count;
    this.#visited.clear();
  }

  /** Watch a directory that is going to be read. `identity` differs when another directory is in the place. */
  visit(path: string, identity: string): void {
    const key = `${identity} ${path}`;
    this.#visited.add(key);
    if (this.#watches.has(key)) return;
    const watcher = this.#watch(path, () => true);
    if (watcher !== undefined) this.#watches.set(key, watcher);
  }

  /** Stop to watch what was not visited since `markSeen`: it is gone, or no longer a part of the tree. */
  forgetOthers(): void {
    for (const [key, watcher] of this.#watches) {
      if (this.#visited.has(key)) continue;
      watcher.close();
      this.#watches.delete(key);
    }
  }

  /** Fulfilled when something has changed since `markSeen`, after `timeoutMs`, or when `signal` aborts. */
  async next(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.hasNew || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const timer = setTimeout(wake, timeoutMs);
    signal.addEventListener('abort', wake, { once: true });
    this.#wake = wake;
    await promise;
    this.#wake = undefined;
    signal.removeEventListener('abort', wake);
    clearTimeout(timer);
  }

  /** Fulfilled when nothing has changed for `quietMs`, at the latest at `deadline` (of performance.now()). */
  async quiet(quietMs: number, deadline: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && performance.now() < deadline) {
      const restMs = this.#lastChange + quietMs - performance.now();
      if (restMs <= 0) return;
      await pause(Math.ceil(restMs), signal);
    }
  }

  [Symbol.dispose](): void {
    this.#parent?.close();
    for (const watcher of this.#watches.values()) watcher.close();
    this.#watches.clear();
  }

  /** Undefined when the directory is gone, or no more watches are to be had. */
  #watch(path: string, concerns: (name: string | null) => boolean): FSWatcher | undefined {
    try {
      const watcher = watch(path, (_event, name) => {
        if (concerns(name)) this.#changed();
      });
      watcher.on('error', () => this.#changed());
      return watcher;
    } catch {
      return undefined;
    }
  }

  #changed(): void {
    this.#count += 1;
    this.#lastChange = performance.now();
    this.#wake?.();
  }
}
