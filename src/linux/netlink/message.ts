// Netlink messages: netlink(7), struct nlmsghdr, struct nlmsgerr and the attributes of an extended ack.
import { SyscallError } from '../errno.ts';
import { align, parseAttributes, readText } from './attribute.ts';

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_ROOT_MATCH_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
const HEADER_SIZE = 16;
const ERROR_SIZE = 4 + HEADER_SIZE;

/** What is asked of the kernel. `what` is for people: `create link veth1`. Flags are added to NLM_F_REQUEST. */
export type Request = {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
  readonly what: string;
};

export type Message = {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
};

/** The kernel's verdict on one request. `errno` is positive, 0 for success; `text` is what the kernel says about it. */
export type Ack = { readonly sequence: number; readonly errno: number; readonly text: string | undefined };

/** One message with its padding. Throws RangeError when it is longer than 32 bits can say. */
export function encodeMessage({ type, flags, sequence, body }: Message): Buffer {
  const length = HEADER_SIZE + body.length;
  const encoded = Buffer.alloc(align(length));
  encoded.writeUInt32LE(length, 0);
  encoded.writeUInt16LE(type, 4);
  encoded.writeUInt16LE(flags, 6);
  encoded.writeUInt32LE(sequence, 8);
  encoded.set(body, HEADER_SIZE);
  return encoded;
}

/** A request as the message that carries it. */
export function encodeRequest(request: Request, sequence: number): Buffer {
  const { type, flags, body } = request;
  return encodeMessage({ type, flags: flags | NLM_F_REQUEST, sequence, body });
}

/** The messages of one datagram. Throws RangeError on a length that contradicts the bytes. */
export function parseMessages(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const rest = bytes.length - offset;
    const length = rest < HEADER_SIZE ? 0 : bytes.readUInt32LE(offset);
    if (length < HEADER_SIZE || length > rest) {
      throw new RangeError(`Netlink message at byte ${offset}: length ${length}, and ${rest} bytes are left`);
    }
    messages.push({
      type: bytes.readUInt16LE(offset + 4),
      flags: bytes.readUInt16LE(offset + 6),
      sequence: bytes.readUInt32LE(offset + 8),
      body: bytes.subarray(offset + HEADER_SIZE, offset + length),
    });
    offset += align(length);
  }
  return messages;
}

/**
 * What a message says about the request of its sequence number: NLMSG_ERROR (an error or an ack) and NLMSG_DONE (the end
 * of a dump) do, others are undefined. Throws RangeError on one that is cut short.
 */
export function parseAck(message: Message): Ack | undefined {
  const { type, body, sequence, flags } = message;
  if (type !== NLMSG_ERROR && type !== NLMSG_DONE) return undefined;
  const head = type === NLMSG_ERROR ? ERROR_SIZE : 4;
  if (body.length < head) throw new RangeError(`Netlink ack of ${body.length} bytes is cut short`);
  return { sequence, errno: Math.abs(body.readInt32LE(0)), text: ackText(body, head, flags) };
}

function ackText(body: Buffer, head: number, flags: number): string | undefined {
  if ((flags & NLM_F_ACK_TLVS) === 0) return undefined;
  // Unless capped, the request that failed is repeated whole between its error and the attributes.
  const isError = head === ERROR_SIZE;
  const repeated = isError && (flags & NLM_F_CAPPED) === 0 ? body.readUInt32LE(4) - HEADER_SIZE : 0;
  const start = head + align(Math.max(0, repeated));
  return start > body.length ? undefined : readText(parseAttributes(body.subarray(start)), NLMSGERR_ATTR_MSG);
}

/** The error of a request that the kernel refused. */
export function refusal(request: Request, ack: Ack): SyscallError {
  return new SyscallError('netlink', ack.errno, request.what, ack.text);
}
