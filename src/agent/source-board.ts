// What is known of each source: the revision in force, when it was last read well, what is wrong with it now. For metrics,
// /readyz and `berth get`.
import { oneLineError } from '../spec/manifest-error.ts';
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
  /** The newest revision of a source where it is refused: what runs is an older one, until the source says something else. */
  readonly #refused = new Map<string, { readonly revision: string; readonly problem: string }>();

  constructor(sources: readonly Pick<SourceRow, 'name' | 'kind'>[]) {
    const empty = { revision: undefined, lastSuccess: undefined, problem: undefined };
    this.#rows = new Map(sources.map(({ name, kind }) => [name, { name, kind, ...empty }]));
  }

  /** Take note of a report at `now`, milliseconds since the epoch. */
  note(report: Report, now: number): void {
    switch (report.event) {
      case 'revisionAccepted':
        this.#refused.delete(report.source);
        return this.#set(report.source, { revision: report.revision, lastSuccess: now, problem: undefined });
      case 'sourceChecked':
        return this.#checked(report, now);
      case 'revisionRefused': {
        const [first, ...others] = report.errors;
        const more = others.length > 0 ? ` (and ${others.length} more)` : '';
        const why = first === undefined ? report.reason : oneLineError(first);
        const problem = `revision ${report.revision} is refused: ${why}${more}`;
        this.#refused.set(report.source, { revision: report.revision, problem });
        return this.#set(report.source, { lastSuccess: now, problem });
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

  /** What a source still says is in force, also when an agent before this one accepted it; unless it was refused. */
  #checked({ source, revision }: Extract<Report, { event: 'sourceChecked' }>, now: number): void {
    const refused = this.#refused.get(source);
    if (refused?.revision === revision) return this.#set(source, { lastSuccess: now, problem: refused.problem });
    this.#refused.delete(source);
    this.#set(source, { revision, lastSuccess: now, problem: undefined });
  }

  #set(name: string, change: Partial<SourceRow>): void {
    const row = this.#rows.get(name);
    if (row !== undefined) this.#rows.set(name, { ...row, ...change });
  }
}
