// Messages of D-Bus (D-Bus Specification, "Message Protocol"). Pure. Little-endian only: a local bus is of the same machine.
import { marshal } from './marshal.ts';
import { unmarshal } from './unmarshal.ts';
import { isVariant, type DbusValue } from './value.ts';

const TYPES = { call: 1, return: 2, error: 3, signal: 4 } as const;
const FIELDS = {
  path: [1, 'o'],
  interface: [2, 's'],
  member: [3, 's'],
  errorName: [4, 's'],
  replySerial: [5, 'u'],
  destination: [6, 's'],
  sender: [7, 's'],
  signature: [8, 'g'],
} as const;
const LITTLE_ENDIAN = 'l'.charCodeAt(0);
const VERSION = 1;
const FIXED_SIZE = 16;
const MAX_SIZE = 2 ** 27;
const HEADER = 'yyyyuua(yv)';

export type DbusMessage = {
  readonly type: keyof typeof TYPES;
  /** Not 0; a reply names it. */
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly replySerial?: number;
  readonly destination?: string;
  readonly sender?: string;
  /** The types of the body; missing where there is none. */
  readonly signature?: string;
  readonly body: readonly DbusValue[];
};

/** The bytes of a message. Throws RangeError when the body is not of its signature. */
export function encodeMessage(message: DbusMessage): Buffer {
  const body = marshal(message.signature ?? '', message.body);
  const fields = Object.entries(FIELDS).flatMap(([name, [code, signature]]) => {
    const value = message[name as keyof typeof FIELDS];
    return value === undefined ? [] : [[code, { signature, value }]];
  });
  const head = [LITTLE_ENDIAN, TYPES[message.type], 0, VERSION, body.length, message.serial, fields];
  const header = marshal(HEADER, head);
  return Buffer.concat([header, Buffer.alloc(padding(header.length)), body]);
}

/** How long the message is that begins with `bytes`; undefined while too little of it is there. Throws RangeError on what is none. */
export function messageLength(bytes: Buffer): number | undefined {
  if (bytes.length < FIXED_SIZE) return undefined;
  if (bytes[0] !== LITTLE_ENDIAN) throw new RangeError(`A D-Bus message begins with 'l', not with ${bytes[0]}`);
  const fields = FIXED_SIZE + bytes.readUInt32LE(12);
  const length = fields + padding(fields) + bytes.readUInt32LE(4);
  if (length > MAX_SIZE) throw new RangeError(`A D-Bus message of ${length} bytes is too large`);
  return length;
}

/** The message that `bytes` are. Throws RangeError when they are none, or one of a type that is unknown. */
export function decodeMessage(bytes: Buffer): DbusMessage {
  const [, code, , version, bodyLength, serial, fields] = unmarshal(HEADER, bytes);
  const type = (Object.keys(TYPES) as (keyof typeof TYPES)[]).find((name) => TYPES[name] === code);
  if (type === undefined || version !== VERSION)
    throw new RangeError('A D-Bus message of a type or version that is unknown');
  const head = Object.fromEntries((fields as readonly (readonly [number, DbusValue])[]).flatMap(fieldOf));
  const body = bytes.subarray(bytes.length - Number(bodyLength));
  const signature = typeof head['signature'] === 'string' ? head['signature'] : '';
  return { ...head, type, serial: Number(serial), body: unmarshal(signature, body) };
}

/** Fields of other versions are left alone, as the specification demands. */
function fieldOf([code, variant]: readonly [number, DbusValue]): [string, DbusValue][] {
  const known = Object.entries(FIELDS).find(([, [number]]) => number === code);
  if (known === undefined || !isVariant(variant)) return [];
  const [name, [, signature]] = known;
  if (variant.signature !== signature) throw new RangeError(`The field ${name} of a D-Bus message is a ${signature}`);
  return [[name, variant.value]];
}

function padding(length: number): number {
  return -length & 7;
}
