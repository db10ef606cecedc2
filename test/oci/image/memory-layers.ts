// A layer store in memory: inflates, checks the diffID, and counts what happened.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { OciError } from '../../../src/oci/error.ts';
import { digestOf } from '../../../src/oci/image/digest.ts';
import type { LayerSink, LayerSource, LayerStore } from '../../../src/oci/image/layer-sink.ts';

export class MemoryLayers implements LayerStore {
  readonly #layers = new Map<string, Buffer>();
  begun = 0;
  aborted = 0;
  /** Layers unpacked from a blob on disk rather than from the wire. */
  fromBlob = 0;

  has(diffID: string): boolean {
    return this.#layers.has(diffID);
  }

  directory(diffID: string): string {
    if (!this.has(diffID)) throw new OciError('LAYER_MISSING', `layer ${diffID} is missing`);
    return `/layers/${diffID}`;
  }

  async begin(layer: LayerSource): Promise<LayerSink> {
    this.begun += 1;
    const chunks: Buffer[] = [];
    let over = false;
    return {
      write: (chunk) => {
        // Like an inflater, which fails at once when the stream does not begin like one.
        if (chunks.length === 0 && layer.mediaType.endsWith('gzip') && chunk[0] !== 0x1f) {
          throw new OciError('LAYER_INVALID', 'the layer is no gzip stream');
        }
        chunks.push(Buffer.from(chunk));
        // Ownership was passed on: whoever reads the chunk again finds other bytes.
        chunk.fill(0xee);
        return undefined;
      },
      commit: async () => {
        this.#add(layer, Buffer.concat(chunks));
        over = true;
      },
      abort: async () => {
        if (!over) this.aborted += 1;
        over = true;
      },
    };
  }

  async unpackBlob(layer: LayerSource, blobPath: string): Promise<void> {
    this.#add(layer, readFileSync(blobPath));
    this.fromBlob += 1;
  }

  async remove(diffID: string): Promise<void> {
    this.#layers.delete(diffID);
  }

  list(): string[] {
    return [...this.#layers.keys()];
  }

  #add({ diffID, mediaType }: LayerSource, compressed: Buffer): void {
    const content = mediaType.endsWith('gzip') ? gunzipSync(compressed) : compressed;
    if (digestOf(content) !== diffID) throw new OciError('DIGEST_MISMATCH', `the layer is not ${diffID}`);
    this.#layers.set(diffID, content);
  }
}
