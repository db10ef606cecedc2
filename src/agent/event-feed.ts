// What is written to the journal, for those who want to hear of it at once.
import type { JournalEntry } from '../reconcile/journal-entry.ts';

export type EventListener = (entry: JournalEntry) => void;

export class EventFeed {
  readonly #listeners = new Set<EventListener>();

  publish(entry: JournalEntry): void {
    for (const listener of this.#listeners) listener(entry);
  }

  /** Hear of every entry from now on, until disposed. */
  subscribe(listener: EventListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
