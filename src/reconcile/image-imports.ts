// Image archives that come with a source: each version of each goes into the local store once.
import type { Images } from './effects.ts';
import type { ReportFunction } from './report.ts';
import type { SourceImage } from './source.ts';

export class ImageImports {
  readonly #importFile: Images['importFile'];
  readonly #report: ReportFunction;
  readonly #done = new Set<string>();

  constructor(importFile: Images['importFile'], report: ReportFunction) {
    this.#importFile = importFile;
    this.#report = report;
  }

  /** Import what is new; returns how many were. One that fails is reported and tried again with the next revision. */
  async importNew(source: string, images: readonly SourceImage[], signal: AbortSignal): Promise<number> {
    let count = 0;
    for (const { path, version } of images) {
      const key = `${path}@${version}`;
      if (this.#done.has(key)) continue;
      try {
        await this.#importFile(path, signal);
        this.#done.add(key);
        count += 1;
        this.#report({ event: 'imageImported', source, path });
      } catch (error) {
        signal.throwIfAborted();
        const message = error instanceof Error ? error.message : String(error);
        this.#report({ event: 'imageImportFailed', source, path, message });
      }
    }
    return count;
  }
}
