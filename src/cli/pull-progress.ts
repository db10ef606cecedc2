// How a pull goes: bars on a terminal, a line for each thing that is done elsewhere.
import type { PullProgress } from '../oci/image/bring-image.ts';
import type { Output } from './output/output.ts';
import { formatSize } from './output/quantities.ts';

export type LayerProgress = {
  readonly digest: string;
  readonly phase: PullProgress['phase'];
  readonly done: number;
  readonly total: number;
};

const BAR_WIDTH = 24;
const REDRAW_MS = 80;
const SHOWN_DIGITS = 12;

/** Show progress on standard error. Dispose it before anything else is printed. */
export class ProgressView implements Disposable {
  readonly #output: Output;
  readonly #layers = new Map<string, LayerProgress>();
  #drawnLines = 0;
  #drawnAt = -Infinity;

  constructor(output: Output) {
    this.#output = output;
  }

  /** For `PullOptions.onProgress`. */
  readonly onProgress = (progress: PullProgress): void => {
    const { digest, phase } = progress;
    // The whole image speaks through `resolve` first and `done` last, under the manifest's digest.
    if (phase === 'resolve') return;
    const before = this.#layers.get(digest);
    if (before === undefined && phase === 'done') return;
    this.#layers.set(digest, progress);
    if (this.#output.isErrorTerminal) this.#redraw(performance.now());
    else if (phase === 'done' && before?.phase !== 'done')
      this.#output.note(`${short(digest)} ${formatSize(progress.total)}`);
  };

  [Symbol.dispose](): void {
    if (this.#output.isErrorTerminal) this.#draw();
  }

  #redraw(now: number): void {
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#draw();
  }

  #draw(): void {
    const lines = progressLines([...this.#layers.values()], this.#output.errorColumns());
    const up = this.#drawnLines === 0 ? '' : `\u001B[${this.#drawnLines}A`;
    this.#output.writeError(`${up}${lines.map((line) => `\u001B[2K${line}\n`).join('')}`);
    this.#drawnLines = lines.length;
  }
}

/** A line a layer, none wider than `columns`. Pure. */
export function progressLines(layers: readonly LayerProgress[], columns: number): string[] {
  return layers.map(({ digest, phase, done, total }) => {
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const filled = phase === 'download' ? Math.floor(share * BAR_WIDTH) : BAR_WIDTH;
    const bar = `${'█'.repeat(filled)}${'·'.repeat(BAR_WIDTH - filled)}`;
    const amount = phase === 'download' ? `${formatSize(done)}/${formatSize(total)}` : formatSize(total);
    return `${short(digest)} ${bar} ${WORDS[phase].padEnd(11)} ${amount}`.slice(0, Math.max(columns - 1, 0));
  });
}

const WORDS: Readonly<Record<PullProgress['phase'], string>> = {
  resolve: 'resolving',
  download: 'downloading',
  unpack: 'unpacking',
  done: 'done',
};

function short(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, SHOWN_DIGITS);
}
