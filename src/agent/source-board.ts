// What is known of each source: the revision in force, when it was last read well, what is wrong with it now. For metrics,
// /readyz and `berth get`.
import type { Report } from '../reconcile/report.ts';

export type SourceRow = {
  readonly name: string;
  readonly kind: 'directory' | 'git';
  readonly revision: string | undefined;
  /** Milliseconds since the epoch. */
  readonly lastSuccess: number | undefined;
  readonly problem: string | undefined;
};

export class SourceBoard {
  readonly #rows: Map<string, SourceRow>;

  constructor(sources: readonly Pick<SourceRow, 'name' | 'kind'>[]) {
    const empty = { revision: undefined, lastSuccess: undefined, problem: undefined };
    this.#rows = new Map(sources.map(({ name, kind }) => [name, { name, kind, ...empty }]));
  }

  /** Take note of a report at `now`, milliseconds since the epoch. */
  note(report: Report, now: number): void {
    switch (report.event) {
      case 'revisionAccepted':
        return this.#set(report.source, { revision: report.revision, lastSuccess: now, problem: undefined });
      case 'sourceChecked':
        return this.#set(report.source, { lastSuccess: now, problem: undefined });
      case 'revisionRefused': {
        const count = report.errors.length;
        const more = count > 1 ? ` (and ${count - 1} more)` : '';
        return this.#set(report.source, {
          lastSuccess: now,
          problem: `revision ${report.revision} is refused: ${report.errors[0]?.message ?? report.reason}${more}`,
        });
      }
      case 'sourceFailed':
        return this.#set(report.source, { problem: report.message });
      default:
    }
  }

  rows(): SourceRow[] {
    return [...this.#rows.values()];
  }

  /** Sources that were neither read well nor badly yet. */
  silent(): string[] {
    return this.rows()
      .filter(({ lastSuccess, problem }) => lastSuccess === undefined && problem === undefined)
      .map(({ name }) => name);
  }

  #set(name: string, change: Partial<SourceRow>): void {
    const row = this.#rows.get(name);
    if (row !== undefined) this.#rows.set(name, { ...row, ...change });
  }
}
