// The two messages of grpc.health.v1 and gRPC's framing of them (grpc/doc/PROTOCOL-HTTP2.md, protobuf.dev "Encoding"). Pure.
//
//   message HealthCheckRequest  { string service = 1; }
//   message HealthCheckResponse { ServingStatus status = 1; }   UNKNOWN 0, SERVING 1, NOT_SERVING 2, SERVICE_UNKNOWN 3
//
//   a frame: 1 byte compressed (0), 4 bytes length (big endian), the message

const FRAME_HEAD = 5;
const FIELD_1_STRING = 0x0a;
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

export const SERVING = 1;
const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** The frame of a request about a service; '' is the server as a whole. */
export function requestFrame(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([FIELD_1_STRING]), varint(name.length), name]);
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The status in the frame of a response. Undefined where the bytes are none. Fields that are not known are skipped. */
export function responseStatus(bytes: Buffer): number | undefined {
  if (bytes.length < FRAME_HEAD || bytes[0] !== 0) return undefined;
  const length = bytes.readUInt32BE(1);
  if (bytes.length < FRAME_HEAD + length) return undefined;
  const reader = new FieldReader(bytes.subarray(FRAME_HEAD, FRAME_HEAD + length));
  // A field that has its default is not sent.
  let status = 0;
  while (!reader.isAtEnd) {
    const field = reader.next();
    if (field === undefined) return undefined;
    if (field.number === 1 && field.value !== undefined) status = field.value;
  }
  return status;
}

/** What a status is called. */
export function statusName(status: number): string {
  return STATUS_NAMES[status] ?? String(status);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next field, its value only where it is a number. Undefined where the bytes are damaged. */
  next(): { readonly number: number; readonly value: number | undefined } | undefined {
    const tag = this.#varint();
    if (tag === undefined) return undefined;
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    if (type === VARINT) {
      const value = this.#varint();
      return value === undefined ? undefined : { number, value };
    }
    const size = type === FIXED64 ? 8 : type === FIXED32 ? 4 : type === LENGTH ? this.#varint() : undefined;
    if (size === undefined || this.#at + size > this.#bytes.length) return undefined;
    this.#at += size;
    return { number, value: undefined };
  }

  #varint(): number | undefined {
    let value = 0;
    for (let place = 1; place <= 2 ** 63; place *= 128) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return undefined;
      this.#at += 1;
      value += (byte % 128) * place;
      if (byte < 128) return value;
    }
    return undefined;
  }
}
