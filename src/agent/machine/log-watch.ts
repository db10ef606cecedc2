// The log files of all containers, also of those that other processes start and remove: their directories come and go under the
// state directory, which is watched.
import { mkdirSync, statSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

import type { HostPaths } from '../../oci/host.ts';
import { containerDirectory, readRecord } from '../../oci/runtime/record.ts';
import { containerIds } from '../../oci/runtime/state.ts';
import { LogFileWatch, type LogWatchOptions } from './log-file-watch.ts';

/** A container's record follows its directory, and its log file the start of its process. */
const BORN_MS = 100;
const BORN_LOOKS = 10;

/** Watches from its construction to its disposal. Keeps no process alive. */
export class LogWatch implements Disposable {
  readonly #state: string;
  readonly #options: LogWatchOptions;
  readonly #logs = new Map<string, LogFileWatch>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #watcher: FSWatcher | undefined;

  constructor({ state }: Pick<HostPaths, 'state'>, options: LogWatchOptions) {
    this.#state = state;
    this.#options = options;
    this.#watcher = this.#watchContainers();
    for (const id of containerIds(state)) this.#look(id, 0);
  }

  /** Undefined, and reported, when the machine has no watches left: then only the containers that are there now are seen. */
  #watchContainers(): FSWatcher | undefined {
    const directory = join(this.#state, 'containers');
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const watcher = watch(directory, { persistent: false }, (_, id) => {
        if (id !== null) this.#lookLater(id, BORN_LOOKS);
      });
      watcher.on('error', this.#options.onError);
      return watcher;
    } catch (error) {
      this.#options.onError(error);
      return undefined;
    }
  }

  #lookLater(id: string, more: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#look(id, more);
    }, BORN_MS).unref();
    this.#timers.add(timer);
  }

  /** A container appeared, or went away; `more` looks follow until it has a log. */
  #look(id: string, more: number): void {
    try {
      const known = this.#logs.get(id);
      const record = readRecord(containerDirectory(this.#state, id));
      if (known !== undefined && record === undefined) {
        known[Symbol.dispose]();
        this.#logs.delete(id);
      }
      if (known !== undefined || (record !== undefined && record.logFile === undefined)) return;
      const file = record?.logFile === undefined ? undefined : statSync(record.logFile, { throwIfNoEntry: false });
      if (file === undefined && more > 0) this.#lookLater(id, more - 1);
      // Whoever writes to /dev/null would wake it.
      if (record?.logFile !== undefined && file?.isFile() === true)
        this.#logs.set(id, new LogFileWatch(record.logFile, this.#options));
    } catch (error) {
      this.#options.onError(error);
    }
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const log of this.#logs.values()) log[Symbol.dispose]();
  }
}
