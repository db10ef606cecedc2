// Puts the time in front of each line of a stream that arrives in pieces. Pure but for what it remembers of the last piece.

const NEWLINE = 0x0a;

/** When the byte at an offset was written, in milliseconds since the epoch. */
export type TimeOfByte = (offset: number) => number;

export class LineStamper {
  readonly #timeOf: TimeOfByte;
  #isInLine = false;

  constructor(timeOf: TimeOfByte) {
    this.#timeOf = timeOf;
  }

  /** The piece that begins at `offset`, with RFC 3339 and a blank before each line: the time of the line's last byte in it. */
  stamp(bytes: Buffer, offset: number): Buffer {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline === -1 ? bytes.length : newline + 1;
      if (!this.#isInLine) parts.push(Buffer.from(`${new Date(this.#timeOf(offset + end - 1)).toISOString()} `));
      parts.push(bytes.subarray(at, end));
      this.#isInLine = newline === -1;
      at = end;
    }
    return Buffer.concat(parts);
  }
}
