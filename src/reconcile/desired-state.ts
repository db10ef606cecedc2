// What the configured sources declare at present.
import {
  differing,
  merge,
  type Declaration,
  type Merged,
  type NameConflict,
  type SourceContent,
} from './declarations.ts';
import type { WorkloadId } from './effects.ts';

export type Change = {
  /** Workloads that are new, gone, or declared otherwise than before. */
  readonly affected: readonly WorkloadId[];
  /** Conflicts that were not there before. */
  readonly conflicts: readonly NameConflict[];
};

export class DesiredState {
  readonly #sources: readonly string[];
  readonly #contents = new Map<string, SourceContent>();
  #merged: Merged = { declarations: new Map(), conflicts: [] };

  /** `sources` in the order in which they are configured: an earlier one wins a name. */
  constructor(sources: readonly string[]) {
    this.#sources = sources;
  }

  /** By `formatWorkload`. */
  get declarations(): ReadonlyMap<string, Declaration> {
    return this.#merged.declarations;
  }

  /** Whether every source has said what it wants: before that, what is not declared may only not be declared yet. */
  get isComplete(): boolean {
    return this.#sources.every((source) => this.#contents.has(source));
  }

  content(source: string): SourceContent | undefined {
    return this.#contents.get(source);
  }

  /** In the order in which the sources are configured. */
  contents(): SourceContent[] {
    return this.#sources.flatMap((source) => this.#contents.get(source) ?? []);
  }

  /** Put the content of one source in force. */
  set(content: SourceContent): Change {
    const before = this.#merged;
    this.#contents.set(content.source, content);
    this.#merged = merge(this.contents());
    const known = new Set(before.conflicts.map((conflict) => conflict.message));
    const conflicts = this.#merged.conflicts.filter((conflict) => !known.has(conflict.message));
    return { affected: differing(before.declarations, this.#merged.declarations), conflicts };
  }
}
