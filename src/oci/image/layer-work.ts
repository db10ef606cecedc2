// What changes layers: threads that unpack and remove, and what makes their work durable. Loaded by a store that has to change one;
// most commands only look.
import { FileWorkers, type FileWorkersOptions } from './file-workers.ts';
import { LayerSync } from './layer-sync.ts';

export type LayerWorkOptions = {
  readonly workers: FileWorkersOptions | undefined;
  readonly onError: (error: unknown) => void;
};

export class LayerWork implements AsyncDisposable {
  readonly workers: FileWorkers;
  readonly sync: LayerSync;

  /** `directory`: of all layers. Make it before anything is written there: the sync hears of what fails from then on. */
  constructor(directory: string, { workers, onError }: LayerWorkOptions) {
    this.workers = new FileWorkers(workers);
    this.sync = new LayerSync(directory, onError);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.workers[Symbol.asyncDispose]();
    this.sync[Symbol.dispose]();
  }
}
