// What a hook printed, for the message when it fails. Anything beyond the bound is read and dropped (SEC-16).
const MAX_BYTES = 4096;

export class HookOutput {
  readonly #chunks: Buffer[] = [];
  #size = 0;

  add(chunk: Buffer): void {
    const rest = MAX_BYTES - this.#size;
    if (rest <= 0) return;
    this.#chunks.push(chunk.subarray(0, rest));
    this.#size += Math.min(rest, chunk.length);
  }

  toString(): string {
    return Buffer.concat(this.#chunks).toString('utf8').trim();
  }
}

/** The error of a hook that failed: why, and what it printed. */
export function hookFailure(why: string, output: HookOutput): Error {
  const printed = output.toString();
  return new Error(printed === '' ? why : `${why}: ${printed}`);
}
