// A netlink socket in the network namespace of this process: synchronous questions to the kernel, which answers at once.
import { SyscallError } from '../errno.ts';
import type { Fd } from '../fd.ts';
import {
  AF_NETLINK,
  receive,
  send,
  setsockopt,
  SO_RCVTIMEO,
  socket,
  SOCK_RAW,
  SOL_SOCKET,
  timeval,
} from '../socket.ts';
import {
  encodeRequest,
  NLM_F_ACK,
  NLM_F_DUMP_INTR,
  NLM_F_ROOT_MATCH_DUMP,
  parseAck,
  parseMessages,
  refusal,
  type Message,
  type Request,
} from './message.ts';

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
export const SOL_NETLINK = 270;
/** Do not repeat the request in its error. */
export const NETLINK_CAP_ACK = 10;
/** Say in words what was wrong. */
export const NETLINK_EXT_ACK = 11;

const BUFFER_SIZE = 256 * 1024;
const TIMEOUT_SECONDS = 5;
const DUMP_ATTEMPTS = 5;
const EINTR = 4;

/** Owns a netlink socket. Every method throws SyscallError with the kernel's own words when the kernel refuses. */
export class NetlinkSocket implements Disposable {
  readonly #fd: Fd;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_SIZE);
  #sequence = 0;

  constructor(protocol: typeof NETLINK_ROUTE | typeof NETLINK_NETFILTER) {
    this.#fd = socket(AF_NETLINK, SOCK_RAW, protocol);
    try {
      setsockopt(this.#fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
      setsockopt(this.#fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
      setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeval(TIMEOUT_SECONDS));
    } catch (error) {
      this.#fd[Symbol.dispose]();
      throw error;
    }
  }

  /** Have one thing done. Returns what the kernel sent beside its ack: for a `get`, the object. */
  request(request: Request): Message[] {
    const sequence = this.#next();
    send(this.#fd, encodeRequest({ ...request, flags: request.flags | NLM_F_ACK }, sequence));
    return this.#answers(request, sequence);
  }

  /** Ask for all objects of a kind. Asks again when they changed meanwhile. Throws after the fifth time, with EINTR. */
  dump(request: Request): Message[] {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const sequence = this.#next();
      send(this.#fd, encodeRequest({ ...request, flags: request.flags | NLM_F_ROOT_MATCH_DUMP }, sequence));
      const messages = this.#answers(request, sequence);
      if (messages.every(({ flags }) => (flags & NLM_F_DUMP_INTR) === 0)) return messages;
    }
    throw new SyscallError('netlink', EINTR, request.what, 'the list changed while it was read, five times in a row');
  }

  /**
   * Have several things done or none of them: requests between the begin and the end of a batch. Throws the error of the
   * first request that was refused.
   */
  transaction(batch: Batch): void {
    const begin = this.#next();
    const first = begin + 1;
    const messages = batch.requests.map((request, index) => {
      // An ack for each would be waste: they come in order, so the last one's tells that all were looked at.
      const last = index === batch.requests.length - 1;
      return encodeRequest({ ...request, flags: request.flags | (last ? NLM_F_ACK : 0) }, first + index);
    });
    this.#sequence += batch.requests.length + 1;
    const end = encodeRequest(batch.end, this.#sequence);
    send(this.#fd, Buffer.concat([encodeRequest(batch.begin, begin), ...messages, end]));
    this.#verdict(batch, begin);
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }

  #next(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  #receive(): Message[] {
    // A copy: messages must outlive the next datagram.
    return parseMessages(Buffer.from(receive(this.#fd, this.#buffer)));
  }

  #answers(request: Request, sequence: number): Message[] {
    const answers: Message[] = [];
    for (;;) {
      for (const message of this.#receive()) {
        if (message.sequence !== sequence) continue;
        const ack = parseAck(message);
        if (ack === undefined) answers.push(message);
        else if (ack.errno !== 0) throw refusal(request, ack);
        else return (message.flags & NLM_F_DUMP_INTR) === 0 ? answers : [...answers, message];
      }
    }
  }

  #verdict({ requests, begin: request }: Batch, begin: number): void {
    const last = begin + requests.length;
    for (;;) {
      for (const message of this.#receive()) {
        const ack = parseAck(message);
        if (ack === undefined || ack.sequence < begin || ack.sequence > last) continue;
        const subject =
          ack.sequence === begin
            ? { ...request, what: requests.map(({ what }) => what).join('; ') }
            : requests[ack.sequence - begin - 1];
        if (ack.errno !== 0 && subject !== undefined) throw refusal(subject, ack);
        if (ack.sequence === last) return;
      }
    }
  }
}

/** Requests that the kernel carries out together: nfnetlink. */
export type Batch = { readonly begin: Request; readonly requests: readonly Request[]; readonly end: Request };
