// Netlink attributes: netlink(7), struct nlattr. Length and type are u16 in host order, padding to 4 bytes.
// berth runs on little-endian machines only (x64, arm64).

/** Set in the type of an attribute whose value is attributes. */
export const NLA_F_NESTED = 0x8000;
/** What is left of a type without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
export const NLA_TYPE_MASK = 0x3fff;
const HEADER_SIZE = 4;
const MAX_LENGTH = 0xffff;

/** Attributes by type, without flags. Of several with one type the last one counts, as in the kernel. */
export type Attributes = ReadonlyMap<number, Buffer>;

/** One attribute with its padding. Throws RangeError when the value does not fit the 16 bits of its length (SEC-19). */
export function attribute(type: number, value: Uint8Array): Buffer {
  const length = HEADER_SIZE + value.length;
  if (length > MAX_LENGTH) throw new RangeError(`Netlink attribute ${type}: ${value.length} bytes are too long`);
  checkInteger(type, 0xffff, 'Netlink attribute type');
  const encoded = Buffer.alloc(align(length));
  encoded.writeUInt16LE(length, 0);
  encoded.writeUInt16LE(type, 2);
  encoded.set(value, HEADER_SIZE);
  return encoded;
}

/** An attribute made of attributes. */
export function nested(type: number, attributes: readonly Uint8Array[]): Buffer {
  return attribute(type | NLA_F_NESTED, Buffer.concat(attributes));
}

/** A NUL-terminated string. Throws RangeError on a NUL inside, or when it is longer than `maxBytes` without its NUL. */
export function textAttribute(type: number, value: string, maxBytes = MAX_LENGTH - HEADER_SIZE - 1): Buffer {
  if (value.includes('\0')) throw new RangeError(`Netlink attribute ${type}: '${value}' has a NUL byte in it`);
  const bytes = Buffer.from(`${value}\0`, 'utf8');
  if (bytes.length - 1 > maxBytes) {
    throw new RangeError(`Netlink attribute ${type}: '${value}' is longer than ${maxBytes} bytes`);
  }
  return attribute(type, bytes);
}

/** A u8. Throws RangeError on a number that is none. */
export function u8Attribute(type: number, value: number): Buffer {
  return attribute(type, Buffer.from([checkInteger(value, 0xff, `Netlink attribute ${type}`)]));
}

/** A u32 in host order. Throws RangeError on a number that is none. */
export function u32Attribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(checkInteger(value, 0xffffffff, `Netlink attribute ${type}`));
  return attribute(type, bytes);
}

/** A u32 in network order, as nf_tables has them. */
export function u32beAttribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(checkInteger(value, 0xffffffff, `Netlink attribute ${type}`));
  return attribute(type, bytes);
}

/** The attributes in `bytes`, in their order. Throws RangeError on a length that contradicts the bytes. */
export function parseAttributeList(bytes: Buffer): (readonly [type: number, value: Buffer])[] {
  const list: (readonly [number, Buffer])[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const rest = bytes.length - offset;
    const length = rest < HEADER_SIZE ? 0 : bytes.readUInt16LE(offset);
    if (length < HEADER_SIZE || length > rest) {
      throw new RangeError(`Netlink attribute at byte ${offset}: length ${length}, and ${rest} bytes are left`);
    }
    const type = bytes.readUInt16LE(offset + 2) & NLA_TYPE_MASK;
    list.push([type, bytes.subarray(offset + HEADER_SIZE, offset + length)]);
    offset += align(length);
  }
  return list;
}

/** The attributes in `bytes` by type. Throws RangeError like parseAttributeList. */
export function parseAttributes(bytes: Buffer): Attributes {
  return new Map(parseAttributeList(bytes));
}

/** An attribute's u32, undefined when it is absent. Throws RangeError on another length. */
export function readU32(attributes: Attributes, type: number): number | undefined {
  return fixed(attributes, type, 4)?.readUInt32LE();
}

/** An attribute's u32 in network order, undefined when it is absent. Throws RangeError on another length. */
export function readU32be(attributes: Attributes, type: number): number | undefined {
  return fixed(attributes, type, 4)?.readUInt32BE();
}

/** An attribute's string up to its NUL, undefined when it is absent. */
export function readText(attributes: Attributes, type: number): string | undefined {
  const value = attributes.get(type);
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

/** An attribute's attributes: empty when it is absent. Throws RangeError like parseAttributeList. */
export function readNested(attributes: Attributes, type: number): Attributes {
  return parseAttributes(attributes.get(type) ?? Buffer.alloc(0));
}

/** Round up to the alignment of netlink, 4 bytes. */
export function align(length: number): number {
  return (length + 3) & ~3;
}

function fixed(attributes: Attributes, type: number, size: number): Buffer | undefined {
  const value = attributes.get(type);
  if (value === undefined || value.length === size) return value;
  throw new RangeError(`Netlink attribute ${type}: ${value.length} bytes instead of ${size}`);
}

function checkInteger(value: number, max: number, what: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new RangeError(`${what}: ${value} is not an integer from 0 to ${max}`);
}
