// A layer extracted to a directory: what works on every kernel and every file system.
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { O_DIRECTORY, O_NOFOLLOW, O_RDONLY, openat } from '../../linux/at.ts';
import { AT_FDCWD } from '../../linux/mount-flags.ts';
import { type LayerOutput, TREE_NAME, type UnpackedLayer } from './layer-output.ts';
import { LayerWriter } from './layer-writer.ts';
import { TarParser } from './tar-parser.ts';

/**
 * While there is work, the inflater may be waiting to be told to go on: 16 KB of small files take up to 0.3 ms, as 64 KB of a
 * large one do.
 */
const SLICE_BYTES = 16 * 1024;
const LARGE_SLICE_BYTES = 64 * 1024;

export class DirectoryOutput implements LayerOutput {
  readonly #writer: LayerWriter;
  readonly #parser: TarParser;

  /** Makes `<directory>/root`. `umask`: that of the process. */
  constructor(directory: string, umask: number) {
    const path = join(directory, TREE_NAME);
    mkdirSync(path);
    // Whatever the umask, the setgid bit or an ACL of the directories above made of it.
    chownSync(path, 0, 0);
    chmodSync(path, 0o755);
    this.#writer = new LayerWriter(openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), umask);
    this.#parser = new TarParser(this.#writer);
  }

  get sliceBytes(): number {
    return this.#parser.pendingBody >= LARGE_SLICE_BYTES ? LARGE_SLICE_BYTES : SLICE_BYTES;
  }

  push(bytes: Buffer): void {
    this.#parser.push(bytes);
  }

  finish(): UnpackedLayer {
    this.#parser.finish();
    return this.#writer.finish();
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }
}
