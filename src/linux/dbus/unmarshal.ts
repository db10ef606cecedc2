// Bytes to values, little-endian (D-Bus Specification, "Marshaling (Wire Format)"). Pure. What others sent is checked.
import { alignmentOf, parseSignature, type DbusType } from './signature.ts';
import type { DbusValue } from './value.ts';

const MAX_DEPTH = 64;

/** The values of types `signature` that `bytes` hold, beginning at a multiple of 8. Throws RangeError when they do not. */
export function unmarshal(signature: string, bytes: Buffer): DbusValue[] {
  const input = new Input(bytes);
  return parseSignature(signature).map((type) => read(input, type, 0));
}

class Input {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get at(): number {
    return this.#at;
  }

  align(multiple: number): void {
    this.take(-this.#at & (multiple - 1));
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('A D-Bus message ends within a value');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

function read(input: Input, type: DbusType, depth: number): DbusValue {
  if (depth > MAX_DEPTH) throw new RangeError('A D-Bus message is nested too deeply');
  input.align(alignmentOf(type));
  if (type.kind === 'basic') return basic(input, type.code);
  if (type.kind === 'variant') return readVariant(input, depth);
  if (type.kind === 'struct') return type.fields.map((field) => read(input, field, depth + 1));
  return readArray(input, type.element, depth);
}

function readVariant(input: Input, depth: number): DbusValue {
  const signature = text(input, input.take(1).readUInt8());
  const [type, ...more] = parseSignature(signature);
  if (type === undefined || more.length > 0) throw new RangeError(`A D-Bus variant is of one type, not '${signature}'`);
  return { signature, value: read(input, type, depth + 1) };
}

function readArray(input: Input, element: DbusType, depth: number): DbusValue[] {
  const length = input.take(4).readUInt32LE();
  input.align(alignmentOf(element));
  const end = input.at + length;
  const values: DbusValue[] = [];
  while (input.at < end) values.push(read(input, element, depth + 1));
  if (input.at !== end) throw new RangeError('A D-Bus array ends within an element');
  return values;
}

function basic(input: Input, code: string): DbusValue {
  switch (code) {
    case 'y':
      return input.take(1).readUInt8();
    case 'b':
      return input.take(4).readUInt32LE() !== 0;
    case 'n':
      return input.take(2).readInt16LE();
    case 'q':
      return input.take(2).readUInt16LE();
    case 'i':
      return input.take(4).readInt32LE();
    case 'x':
      return input.take(8).readBigInt64LE();
    case 't':
      return input.take(8).readBigUInt64LE();
    case 'd':
      return input.take(8).readDoubleLE();
    case 'g':
      return text(input, input.take(1).readUInt8());
    case 's':
    case 'o':
      return text(input, input.take(4).readUInt32LE());
    default:
      return input.take(4).readUInt32LE();
  }
}

function text(input: Input, length: number): string {
  const bytes = input.take(length);
  if (input.take(1).readUInt8() !== 0) throw new RangeError('A D-Bus string does not end with a zero');
  return bytes.toString();
}
