// The layers that are kept as tars: whether to keep new ones so, and mounts of those that are, each made once by this process and
// held while the layer is there.
import { randomUUID } from 'node:crypto';
import { close, existsSync } from 'node:fs';
import { release, totalmem } from 'node:os';

import { SyscallError } from '../../../linux/errno.ts';
import type { Fd } from '../../../linux/fd.ts';
import { OciError } from '../../error.ts';
import type { LayerFormat } from '../file-work.ts';
import { IMAGE_NAME, TAR_NAME } from '../layer-output.ts';
import { type LayerPaths, removedPath } from '../layer-paths.ts';
import type { UnpackMode } from '../unpack-mode.ts';
import { type ErofsRecord, hasErofsFiles, verifyImage } from './erofs-record.ts';
import { mountErofs } from './mount.ts';
import { type ErofsSupport, isSelinuxEnforcing, isSharable, refusal } from './support.ts';

/** What is read is cached twice, as the tar's and as the file's: too much for small machines. */
const SMALL_MEMORY_BYTES = 1024 ** 3;

/** A layer's files to be mounted by whoever makes an overlay of it, on the layer's own directory. */
export type LayerImage = { readonly mountPoint: string; readonly image: string; readonly tar: string };

export type MountedLayer = {
  /** Where this process (and, while it lives, any other of root's) sees what is in the layer. */
  readonly directory: string;
  /** Undefined: `directory` can be a lower directory of an overlay. */
  readonly image: LayerImage | undefined;
};

type Held = { readonly id: string; readonly fd: Fd };

export class ErofsLayers implements Disposable {
  readonly #directory: string;
  readonly #mode: UnpackMode;
  readonly #held = new Map<string, Held>();
  #support: ErofsSupport | undefined;

  /** `directory`: of all layers. */
  constructor(directory: string, mode: UnpackMode) {
    this.#directory = directory;
    this.#mode = mode;
  }

  /** For a layer to come. Rejects with OciError UNPACK_FAILED when EROFS was asked for and does not work. */
  async format(): Promise<LayerFormat> {
    if (this.#mode === 'extract') return 'directory';
    if (this.#mode === 'auto' && totalmem() < SMALL_MEMORY_BYTES) return 'directory';
    const support = await this.support();
    if (support.works) return 'erofs';
    if (this.#mode === 'auto') return 'directory';
    throw new OciError('UNPACK_FAILED', `EROFS was asked for, and does not work in ${this.#directory}: ${support.why}`);
  }

  /** What this kernel can do, found out once. */
  async support(): Promise<ErofsSupport> {
    if (this.#support !== undefined) return this.#support;
    // With all that makes an image: a process that only looks at layers never loads it.
    const { probeErofs } = await import('./probe.ts');
    this.#support ??= probeErofs(removedPath(this.#directory, randomUUID()));
    return this.#support;
  }

  /**
   * Whether a committed layer can be mounted, `id` being that of its record. The first one is mounted to find out; whether files
   * of the others are what they were is seen when they are.
   */
  usable({ directory }: LayerPaths, id: string, record: ErofsRecord): boolean {
    if (this.#mode === 'extract' || !hasErofsFiles(directory, record)) return false;
    this.#support ??= this.#tryLayer(directory, id, record);
    return this.#support?.works ?? true;
  }

  /** Mount a layer, or find it mounted. `id`: of its record. Throws OciError STORE_CORRUPT, SyscallError. */
  mount({ directory }: LayerPaths, id: string, record: ErofsRecord): MountedLayer {
    const { number } = this.#mounted(directory, id, record);
    const seen = `/proc/${process.pid}/fd/${number}`;
    if (this.#support?.works === true && this.#support.shared) return { directory: seen, image: undefined };
    return { directory: seen, image: { mountPoint: directory, image: IMAGE_NAME, tar: TAR_NAME } };
  }

  /** Let go of layers that are gone, whoever removed them: their space is free when nothing uses them any more. */
  forgetRemoved(): void {
    for (const [directory, { fd }] of this.#held) {
      if (existsSync(directory)) continue;
      letGo(fd);
      this.#held.delete(directory);
    }
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#held.values()) letGo(fd);
    this.#held.clear();
  }

  #mounted(directory: string, id: string, record: ErofsRecord): Fd {
    const held = this.#held.get(directory);
    if (held?.id === id) return held.fd;
    this.forgetRemoved();
    if (held !== undefined) letGo(held.fd);
    this.#held.delete(directory);
    verifyImage(directory, record);
    const fd = mountErofs(directory, { image: IMAGE_NAME, tar: TAR_NAME });
    this.#held.set(directory, { id, fd });
    return fd;
  }

  /** Undefined: the layer itself is damaged, which says nothing of the kernel. */
  #tryLayer(directory: string, id: string, record: ErofsRecord): ErofsSupport | undefined {
    const why = refusal(release(), isSelinuxEnforcing());
    if (why !== undefined) return { works: false, why };
    try {
      return { works: true, shared: isSharable(this.#mounted(directory, id, record), this.#directory) };
    } catch (error) {
      if (!(error instanceof SyscallError) || error.code === 'EUCLEAN') return undefined;
      return { works: false, why: error.message };
    }
  }
}

/** On a thread of the pool: the end of a mount drops what is cached of it, and perhaps the last hold on a removed tar. */
function letGo(fd: Fd): void {
  close(fd.release(), () => undefined);
}
