// Keeps the desired record on disk up to date: one write at a time, and only the newest of what piles up meanwhile.
import { readRecords, writeRecord, type DesiredRecord, type ReadRecords } from './desired-record.ts';

export class RecordKeeper {
  readonly #directory: string;
  readonly #onError: (error: unknown) => void;
  /** To be written, in order: at most one good record and a newer one of another revision. */
  #pending: DesiredRecord[] = [];
  #written: DesiredRecord | undefined;
  #writing: Promise<void> | undefined;
  #build: (() => DesiredRecord) | undefined;
  #turn: NodeJS.Immediate | undefined;

  /** `directory` holds the two files; it is made when the first one is written. */
  constructor(directory: string, onError: (error: unknown) => void) {
    this.#directory = directory;
    this.#onError = onError;
  }

  async read(): Promise<ReadRecords> {
    const records = await readRecords(this.#directory);
    this.#written = records.current;
    return records;
  }

  /** Write `record` soon, unless that is what is on disk. A failed write is tried again with the next record. */
  save(record: DesiredRecord): void {
    const newest = this.#pending.at(-1) ?? this.#written;
    if (newest !== undefined && identity(record) === identity(newest)) return;
    // A good record is never skipped for another revision: what comes after it may not run for a long time.
    const good = this.#pending.filter((earlier) => earlier.good && !sameSources(earlier, record));
    this.#pending = [...good.slice(-1), record];
    this.#writing ??= this.#write();
  }

  /** `save` what `build` gives then, once for all that changes in one turn of the event loop. */
  saveSoon(build: () => DesiredRecord): void {
    this.#build ??= build;
    this.#turn ??= setImmediate(() => this.#saveBuilt());
  }

  /** Fulfilled when nothing is left to write. */
  async flushed(): Promise<void> {
    this.#saveBuilt();
    await this.#writing;
  }

  #saveBuilt(): void {
    clearImmediate(this.#turn);
    const build = this.#build;
    this.#turn = undefined;
    this.#build = undefined;
    if (build !== undefined) this.save(build());
  }

  async #write(): Promise<void> {
    // What is saved in the same turn of the event loop becomes one write.
    await Promise.resolve();
    for (let record = this.#pending[0]; record !== undefined; record = this.#pending[0]) {
      try {
        await writeRecord(this.#directory, record, { keepCurrent: this.#keepsCurrent(record) });
        this.#written = record;
      } catch (error) {
        this.#onError(error);
      }
      const written = record;
      this.#pending = this.#pending.filter((other) => other !== written);
    }
    this.#writing = undefined;
  }

  /** A good record is kept as the previous one, once, when other manifests take its place. */
  #keepsCurrent(record: DesiredRecord): boolean {
    const before = this.#written;
    if (before === undefined || !before.good) return false;
    return !sameSources(before, record);
  }
}

function sameSources(one: DesiredRecord, other: DesiredRecord): boolean {
  return revisions(one) === revisions(other);
}

/** Without the texts of the files: the revision stands for them. */
function identity(record: DesiredRecord): string {
  return JSON.stringify([record.good, revisions(record), record.resolutions]);
}

function revisions({ sources }: DesiredRecord): string {
  return JSON.stringify(sources.map(({ source, revision }) => [source, revision]));
}
