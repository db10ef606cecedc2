// Values to bytes, little-endian (D-Bus Specification, "Marshaling (Wire Format)"). Pure.
import { alignmentOf, parseSignature, type DbusType } from './signature.ts';
import { isVariant, type DbusValue } from './value.ts';

const MAX_ARRAY = 2 ** 26;

/**
 * The bytes of `values`, whose types are `signature`, from a multiple of 8 on. Throws RangeError when they are not of these types.
 */
export function marshal(signature: string, values: readonly DbusValue[]): Buffer {
  const types = parseSignature(signature);
  if (types.length !== values.length)
    throw new RangeError(
      `The signature '${signature}' has ${types.length} types, and there are ${values.length} values`,
    );
  const out = new Output();
  types.forEach((type, index) => write(out, type, values[index] ?? ''));
  return out.bytes();
}

class Output {
  readonly #chunks: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  align(multiple: number): void {
    const padding = -this.#length & (multiple - 1);
    if (padding > 0) this.add(Buffer.alloc(padding));
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks, this.#length);
  }
}

function write(out: Output, type: DbusType, value: DbusValue): void {
  out.align(alignmentOf(type));
  if (type.kind === 'basic') out.add(basic(type.code, value));
  else if (type.kind === 'variant') writeVariant(out, value);
  else if (type.kind === 'struct') writeStruct(out, type.fields, value);
  else writeArray(out, type.element, value);
}

function writeVariant(out: Output, value: DbusValue): void {
  if (!isVariant(value)) throw mismatch('v', value);
  const [type, ...more] = parseSignature(value.signature);
  if (type === undefined || more.length > 0) throw new RangeError(`A variant is of one type, not '${value.signature}'`);
  out.add(signatureBytes(value.signature));
  write(out, type, value.value);
}

function writeStruct(out: Output, fields: readonly DbusType[], value: DbusValue): void {
  const values = listOf(value);
  if (values.length !== fields.length) throw mismatch(`structure of ${fields.length}`, value);
  fields.forEach((field, index) => write(out, field, values[index] ?? ''));
}

/** The length counts from the first element on, not the padding before it. */
function writeArray(out: Output, element: DbusType, value: DbusValue): void {
  const length = Buffer.alloc(4);
  out.add(length);
  out.align(alignmentOf(element));
  const start = out.length;
  for (const each of listOf(value)) write(out, element, each);
  if (out.length - start > MAX_ARRAY) throw new RangeError(`An array of ${out.length - start} bytes is too large`);
  length.writeUInt32LE(out.length - start);
}

function listOf(value: DbusValue): readonly DbusValue[] {
  if (!Array.isArray(value)) throw mismatch('list', value);
  return value as readonly DbusValue[];
}

function basic(code: string, value: DbusValue): Buffer {
  if (code === 'b' && typeof value === 'boolean') return Buffer.of(Number(value), 0, 0, 0);
  if ('so'.includes(code) && typeof value === 'string') return stringBytes(value);
  if (code === 'g' && typeof value === 'string') return signatureBytes(value);
  if ('xt'.includes(code) && typeof value === 'bigint') return bigBytes(code, value);
  if ('ynqiudh'.includes(code) && typeof value === 'number') return numberBytes(code, value);
  throw mismatch(code, value);
}

function stringBytes(value: string): Buffer {
  if (value.includes('\0')) throw new RangeError(`A string of D-Bus holds no zero: ${JSON.stringify(value)}`);
  const text = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, Buffer.of(0)]);
}

function signatureBytes(value: string): Buffer {
  parseSignature(value);
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value), Buffer.of(0)]);
}

function bigBytes(code: string, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  if (code === 'x') bytes.writeBigInt64LE(value);
  else bytes.writeBigUInt64LE(value);
  return bytes;
}

function numberBytes(code: string, value: number): Buffer {
  if (code !== 'd' && !Number.isInteger(value)) throw mismatch(code, value);
  const bytes = Buffer.alloc(SIZES[code] ?? 4);
  switch (code) {
    case 'y':
      bytes.writeUInt8(value);
      break;
    case 'n':
      bytes.writeInt16LE(value);
      break;
    case 'q':
      bytes.writeUInt16LE(value);
      break;
    case 'i':
      bytes.writeInt32LE(value);
      break;
    case 'd':
      bytes.writeDoubleLE(value);
      break;
    default:
      bytes.writeUInt32LE(value);
  }
  return bytes;
}

const SIZES: Readonly<Record<string, number>> = { y: 1, n: 2, q: 2, d: 8 };

function mismatch(type: string, value: DbusValue): RangeError {
  return new RangeError(`${typeof value} is not a value of the D-Bus type ${type}`);
}
