// A layer kept as its uncompressed tar, one file, and an EROFS image that says where in it the files are. Mounted together they
// are the layer, without a file of it having been created.
import { closeSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { DirectoryOutput } from '../directory-output.ts';
import { IMAGE_NAME, type LayerOutput, TAR_NAME, type UnpackedLayer } from '../layer-output.ts';
import { TarParser } from '../tar-parser.ts';
import { erofsRecord } from './erofs-record.ts';
import { LayerTree } from './layer-tree.ts';
import { writeImage } from './write-image.ts';

/** 0.1 ms of hashing, parsing and writing. */
const SLICE_BYTES = 64 * 1024;
const READ_BYTES = 1 << 20;
const UUID_BYTES = 16;

export type ErofsOutputOptions = {
  /** Where both files are made. */
  readonly directory: string;
  /** Of the layer: `sha256:<hex>`. */
  readonly diffID: string;
  /** Of the process. */
  readonly umask: number;
};

export class ErofsOutput implements LayerOutput {
  readonly sliceBytes = SLICE_BYTES;
  readonly #options: ErofsOutputOptions;
  readonly #tree = new LayerTree();
  readonly #parser = new TarParser(this.#tree);
  #fd: number | undefined;
  #tarBytes = 0;

  constructor(options: ErofsOutputOptions) {
    this.#options = options;
    this.#fd = openSync(join(options.directory, TAR_NAME), 'wx+', 0o600);
  }

  push(bytes: Buffer): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#parser.push(bytes);
    for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
    this.#tarBytes += bytes.length;
  }

  finish(): UnpackedLayer {
    this.#parser.finish();
    if (this.#tree.unfit !== undefined) return this.#extract();
    const { directory, diffID } = this.#options;
    const hex = diffID.slice(diffID.indexOf(':') + 1);
    const uuid = Buffer.from(hex, 'hex').subarray(0, UUID_BYTES);
    const image = writeImage(this.#tree.root, { tarBytes: this.#tarBytes, uuid });
    writeFileSync(join(directory, IMAGE_NAME), image, { flag: 'wx', mode: 0o600 });
    return { ...this.#tree.summary(), erofs: erofsRecord(image, this.#tarBytes) };
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** The tar cannot be mounted as it is: a directory after all, from the tar, which is not needed any more then. */
  #extract(): UnpackedLayer {
    const { directory, umask } = this.#options;
    using output = new DirectoryOutput(directory, umask);
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    for (let position = 0; position < this.#tarBytes;) {
      const length = readSync(this.#fd ?? -1, buffer, 0, buffer.length, position);
      output.push(buffer.subarray(0, length));
      position += length;
    }
    const unpacked = output.finish();
    this[Symbol.dispose]();
    rmSync(join(directory, TAR_NAME));
    return unpacked;
  }
}
