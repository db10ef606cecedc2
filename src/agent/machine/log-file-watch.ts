// One log file: noted when it grows (log-times.ts), and kept small. While it is written to, a timer looks once a second; while it is
// not, an inotify watch waits and costs no time.
import { closeSync, openSync, rmSync, statSync, watch, type FSWatcher, type Stats } from 'node:fs';

import { seekData } from '../../linux/fallocate.ts';
import { limitLog } from '../../oci/pod/logs.ts';
import { appendMark, lastMark, LOOK_MS, timesFile } from '../../oci/pod/log-times.ts';

export type LogWatchOptions = {
  /** Space on disk that one log may take. */
  readonly maxBytes?: number;
  readonly onError: (error: unknown) => void;
};

const MAX_LOG_BYTES = 16 * 1024 * 1024;
/** Where the machine has no watches left. */
const UNWATCHED_LOOK_MS = 30_000;

export class LogFileWatch implements Disposable {
  readonly #path: string;
  readonly #options: LogWatchOptions;
  /** Its size at the last look. */
  #size = 0;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isUnwatchable = false;

  /** Begin with what it wrote while nobody watched, such as between two agents. Throws what reading the times throws. */
  constructor(path: string, options: LogWatchOptions) {
    this.#path = path;
    this.#options = options;
    const last = lastMark(path);
    this.#size = last?.end ?? 0;
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat !== undefined) this.#note(stat, stat.mtimeMs - (last?.time ?? stat.birthtimeMs) > 2 * LOOK_MS);
    this.#rest();
  }

  /** Wait until it is written to. */
  #rest(): void {
    this.#timer = undefined;
    if (this.#isUnwatchable) return this.#lookAgain(UNWATCHED_LOOK_MS);
    try {
      this.#watcher = watch(this.#path, { persistent: false }, () => this.#look());
      this.#watcher.on('error', (error) => this.#watchFailed(error));
    } catch (error) {
      return this.#watchFailed(error);
    }
    // Written to between the last look and the watch.
    this.#look();
  }

  #watchFailed(error: unknown): void {
    this.#isUnwatchable = true;
    this.#options.onError(error);
    this.#lookAgain(UNWATCHED_LOOK_MS);
  }

  #look(): void {
    const stat = statSync(this.#path, { throwIfNoEntry: false });
    // Removed with its pod.
    if (stat === undefined) return this[Symbol.dispose]();
    if (stat.size !== this.#size) {
      this.#note(stat, this.#isUnwatchable);
      return this.#lookAgain(LOOK_MS);
    }
    if (this.#timer !== undefined) this.#rest();
  }

  #lookAgain(afterMs: number): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#timer = setTimeout(() => this.#look(), afterMs).unref();
  }

  #note(stat: Stats, gap: boolean): void {
    const { maxBytes = MAX_LOG_BYTES, onError } = this.#options;
    const before = this.#size;
    this.#size = stat.size;
    try {
      if (stat.size > before)
        appendMark(this.#path, { end: stat.size, time: stat.mtimeMs, gap }, () => dataStart(this.#path));
      // Somebody truncated it: what was noted is of other bytes.
      else if (stat.size < before) rmSync(timesFile(this.#path), { force: true });
      limitLog(this.#path, maxBytes);
    } catch (error) {
      onError(error);
    }
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function dataStart(path: string): number {
  const fd = openSync(path, 'r');
  try {
    return seekData(fd, 0) ?? 0;
  } finally {
    closeSync(fd);
  }
}
