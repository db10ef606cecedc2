// Turns the compressed bytes of a layer into tar bytes. Which compression it is, the bytes say: media types of real images
// are wrong often enough that every other unpacker looks at the magic numbers too, and both digests are verified anyway.
//
// The work happens on a thread of libuv's pool (that is what zlib's streams do), beside the thread that calls this.
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';

import { OciError } from '../error.ts';

const MAGIC_BYTES = 4;
/** Room for one output piece. Large, because each piece costs a round trip between two threads. */
const PIECE_BYTES = 1 << 20;
/** How much memory a zstd frame may ask for: 2^25 bytes. The format recommends decoders to support 2^23. */
const ZSTD_WINDOW_LOG = 25;

type Stream = ReturnType<typeof createGunzip | typeof createZstdDecompress>;
type Format = 'gzip' | 'zstd' | 'none';

export type InflaterOptions = {
  /** Throw LAYER_INVALID when more than this comes out (SEC-24). */
  readonly limitBytes: number;
  /** Called with each piece, in order. It may be kept: its memory is not used again. */
  readonly output: (bytes: Buffer) => void;
};

/**
 * Write pieces one after the other, each when the one before has resolved, then `end`. After a rejection, and to stop
 * early, dispose it.
 */
export class Inflater implements Disposable {
  readonly #options: InflaterOptions;
  #format: Format | undefined;
  #stream: Stream | undefined;
  /** Bytes handed to the present stream. */
  #written = 0;
  #outputBytes = 0;
  #head: Buffer = Buffer.alloc(0);
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  /** Whether the present stream took all that was written to it last, and whether it is at its end. */
  #consumed = true;
  #streamEnded = false;

  constructor(options: InflaterOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the bytes are consumed: given as they are when there is no compression, and not needed any more when
   * there is. Throws OciError LAYER_INVALID.
   */
  async write(bytes: Buffer): Promise<void> {
    if (this.#format !== undefined) return this.#feed(bytes);
    // A copy: what was written may be used again once it was consumed.
    const head = this.#head.length === 0 && bytes.length >= MAGIC_BYTES ? bytes : Buffer.concat([this.#head, bytes]);
    this.#head = head;
    if (head.length >= MAGIC_BYTES) await this.#begin();
  }

  /** All bytes are written: resolves when all output was given. Throws OciError LAYER_INVALID when something is missing. */
  async end(): Promise<void> {
    if (this.#format === undefined) await this.#begin();
    const stream = this.#stream;
    if (stream === undefined || this.#streamEnded) return;
    stream.end();
    while (!this.#streamEnded) await this.#nextEvent();
  }

  /** Stop giving output soon (one more piece may come), and go on again. */
  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  [Symbol.dispose](): void {
    this.#fail(new Error('The inflater was disposed of'));
    this.#stream?.destroy();
  }

  async #begin(): Promise<void> {
    this.#format = formatOf(this.#head);
    const head = this.#head;
    this.#head = Buffer.alloc(0);
    if (head.length > 0) await this.#feed(head);
  }

  async #feed(bytes: Buffer): Promise<void> {
    if (this.#format === 'none') return this.#give(bytes);
    for (let rest = bytes; rest.length > 0;) rest = await this.#feedStream(rest);
  }

  /** Resolves with what the stream did not take: zstd streams end after each frame that ends within a piece. */
  async #feedStream(bytes: Buffer): Promise<Buffer> {
    if (this.#stream === undefined || this.#streamEnded) this.#open();
    const stream = this.#stream;
    if (stream === undefined) return bytes;
    this.#written += bytes.length;
    this.#consumed = false;
    stream.write(bytes, () => {
      this.#consumed = true;
      this.#wake?.();
    });
    while (!this.#consumed && !this.#streamEnded) await this.#nextEvent();
    if (!this.#streamEnded) return bytes.subarray(bytes.length);
    const rest = this.#written - stream.bytesWritten;
    if (rest > 0 && this.#format === 'gzip') throw invalid('something follows the end of the gzip data');
    return bytes.subarray(bytes.length - rest);
  }

  #open(): void {
    this.#written = 0;
    this.#streamEnded = false;
    const stream =
      this.#format === 'gzip'
        ? createGunzip({ chunkSize: PIECE_BYTES })
        : createZstdDecompress({
            chunkSize: PIECE_BYTES,
            params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
          });
    stream.on('data', (piece: Buffer) => this.#give(piece));
    stream.on('error', (error) => this.#fail(invalid(`the ${this.#format} data is damaged: ${error.message}`, error)));
    stream.on('end', () => {
      this.#streamEnded = true;
      this.#wake?.();
    });
    this.#stream = stream;
  }

  #give(piece: Buffer): void {
    this.#outputBytes += piece.length;
    if (this.#outputBytes <= this.#options.limitBytes) return this.#options.output(piece);
    this.#fail(invalid(`it grows beyond ${this.#options.limitBytes} bytes when it is inflated`));
    this.#stream?.destroy();
    if (this.#format === 'none' && this.#failure !== undefined) throw this.#failure;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  /** Waits for whatever the stream does next. Throws what it failed with. */
  async #nextEvent(): Promise<void> {
    if (this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function formatOf(head: Buffer): Format {
  if (head.length === 0) throw invalid('it is empty');
  const magic = head.toString('hex', 0, MAGIC_BYTES);
  if (magic.startsWith('1f8b')) return 'gzip';
  // A frame, or one of the sixteen kinds of skippable frames that zstd:chunked begins with.
  if (magic === '28b52ffd' || /^5.2a4d18$/.test(magic)) return 'zstd';
  if (magic.startsWith('425a68')) throw invalid('it is compressed with bzip2, which images cannot be');
  if (magic === 'fd377a58') throw invalid('it is compressed with xz, which images cannot be');
  return 'none';
}

function invalid(what: string, cause?: Error): OciError {
  return new OciError('LAYER_INVALID', `The layer is not valid: ${what}`, { cause });
}
