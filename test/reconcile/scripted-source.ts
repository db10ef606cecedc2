// A source whose updates a test hands in, and the loader for its files: each is a workload as JSON.
import type { Loaded } from '../../src/reconcile/accept-revision.ts';
import type { Source, SourceFile, SourceUpdate } from '../../src/reconcile/source.ts';
import type { Workload } from '../../src/spec/model.ts';

export class ScriptedSource implements Source {
  readonly name: string;
  readonly #waiting: SourceUpdate[] = [];
  #wake: () => void = () => {};
  #revision = 0;

  constructor(name = 'test') {
    this.name = name;
  }

  push(update: SourceUpdate): void {
    this.#waiting.push(update);
    this.#wake();
  }

  /** A new revision that declares these workloads. */
  declare(...workloads: Workload[]): void {
    this.files(workloads.map((workload) => ({ path: `${workload.name}.json`, text: JSON.stringify(workload) })));
  }

  files(files: readonly SourceFile[]): void {
    this.#revision += 1;
    this.push({ kind: 'revision', revision: `r${this.#revision}`, files, images: [] });
  }

  async *revisions(signal: AbortSignal): AsyncGenerator<SourceUpdate> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    while (!signal.aborted) {
      const update = this.#waiting.shift();
      if (update !== undefined) {
        yield update;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async read(): Promise<SourceUpdate> {
    return this.#waiting[0] ?? { kind: 'failed', code: 'SOURCE_MISSING', message: 'nothing yet' };
  }
}

/** The loader that goes with it. A file that is no JSON is an error; a comment declares nothing. */
export function loadWorkloads(files: readonly SourceFile[]): Loaded {
  try {
    const texts = files.map(({ text }) => text).filter((text) => !text.startsWith('#') && text.trim() !== '');
    const workloads = texts.map((text) => JSON.parse(text) as Workload).filter((workload) => 'pod' in workload);
    return { desired: { workloads, configMaps: [], secrets: [], claims: [], services: [] } };
  } catch (error) {
    return { errors: [error instanceof Error ? error : new Error(String(error))] };
  }
}
