// What was done and why: lines of JSON in a few bounded files. Written only when something changes.
import { appendFile, mkdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { isErrno } from '../linux/errno.ts';
import { parseEntry, type JournalEntry } from './journal-entry.ts';

export type JournalOptions = {
  readonly directory: string;
  /** A file that has grown to this size is set aside. */
  readonly fileBytes?: number;
  /** How many files there are at most, the one that is written to included. */
  readonly files?: number;
  readonly onError: (error: unknown) => void;
};

const FILE_BYTES = 1024 * 1024;
const FILES = 4;

export class Journal {
  readonly #directory: string;
  readonly #fileBytes: number;
  readonly #files: number;
  readonly #onError: (error: unknown) => void;
  #pending: string[] = [];
  #writing: Promise<void> | undefined;

  constructor({ directory, fileBytes = FILE_BYTES, files = FILES, onError }: JournalOptions) {
    this.#directory = directory;
    this.#fileBytes = fileBytes;
    this.#files = files;
    this.#onError = onError;
  }

  /** Append soon, in order. A failed write is reported once and its entries are lost: the journal stops nothing. */
  append(entry: JournalEntry): void {
    this.#pending.push(`${JSON.stringify(entry)}\n`);
    this.#writing ??= this.#write();
  }

  /** Fulfilled when nothing is left to write. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const lines = this.#pending.join('');
      this.#pending = [];
      try {
        await mkdir(this.#directory, { recursive: true, mode: 0o700 });
        await this.#rotate();
        await appendFile(join(this.#directory, fileName(0)), lines, { mode: 0o600 });
      } catch (error) {
        this.#onError(error);
      }
    }
    this.#writing = undefined;
  }

  async #rotate(): Promise<void> {
    const { size } = await stat(join(this.#directory, fileName(0))).catch(() => ({ size: 0 }));
    if (size < this.#fileBytes) return;
    for (let age = this.#files - 1; age > 0; age--) {
      await rename(join(this.#directory, fileName(age - 1)), join(this.#directory, fileName(age))).catch(ignoreMissing);
    }
  }
}

/** Every entry that can be read, oldest first. A line torn by a power cut is left out. */
export async function readJournal(directory: string, files: number = FILES): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for (let age = files - 1; age >= 0; age--) {
    const text = await readFile(join(directory, fileName(age)), 'utf8').catch((error: unknown) => {
      ignoreMissing(error);
      return '';
    });
    for (const line of text.split('\n')) {
      const entry = parseEntry(line);
      if (entry !== undefined) entries.push(entry);
    }
  }
  return entries;
}

function fileName(age: number): string {
  return age === 0 ? 'events.jsonl' : `events.${age}.jsonl`;
}

function ignoreMissing(error: unknown): void {
  if (!isErrno(error, 'ENOENT')) throw error;
}
