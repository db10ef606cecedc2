// The sink that a pull writes a layer to: a running unpack, the lock on the layer, and what happens at the end.
import type { LayerSink } from './layer-sink.ts';
import type { UnpackedLayer } from './layer-output.ts';
import type { UnpackSession } from './unpack-session.ts';

/** For a layer that is there already. */
export const FINISHED_SINK: LayerSink = {
  write: () => undefined,
  commit: () => Promise.resolve(),
  abort: () => Promise.resolve(),
};

export type SinkEnd = {
  /** Everything is unpacked and right: make it visible. */
  readonly commit: (summary: UnpackedLayer) => void;
  /** Throw away what was unpacked. */
  readonly discard: () => void;
};

export class UnpackingSink implements LayerSink {
  readonly #session: UnpackSession;
  readonly #held: Disposable;
  readonly #end: SinkEnd;
  #ended = false;

  /** Takes ownership of `session` and of the lock `held`, until commit or abort has ended. */
  constructor(session: UnpackSession, held: Disposable, end: SinkEnd) {
    this.#session = session;
    this.#held = held;
    this.#end = end;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    return this.#session.write(chunk);
  }

  async commit(): Promise<void> {
    try {
      this.#end.commit(await this.#session.finish());
    } catch (error) {
      await this.abort();
      throw error;
    }
    this.#ended = true;
    this.#held[Symbol.dispose]();
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    await this.#session.abort();
    if (this.#ended) return;
    this.#ended = true;
    try {
      this.#end.discard();
    } finally {
      this.#held[Symbol.dispose]();
    }
  }
}
