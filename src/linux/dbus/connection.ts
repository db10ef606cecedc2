// A connection to a bus, or to a single peer: method calls and their answers, and signals. The client's part of the
// specification's "Authentication Protocol", with EXTERNAL: the kernel says who we are.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { DbusError } from './error.ts';
import { decodeMessage, encodeMessage, messageLength, type DbusMessage } from './message.ts';
import type { DbusValue } from './value.ts';

/** As libdbus has it. */
const TIMEOUT_MS = 25_000;

export type MethodCall = Pick<DbusMessage, 'path' | 'interface' | 'member' | 'destination' | 'signature'> & {
  readonly body?: readonly DbusValue[];
};

type Waiting = { readonly resolve: (reply: DbusMessage) => void; readonly reject: (error: DbusError) => void };

export class DbusConnection implements Disposable {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(signal: DbusMessage) => void>();
  #received: Buffer = Buffer.alloc(0);
  #serial = 0;
  #lost: DbusError | undefined;

  private constructor(socket: Socket, received: Buffer) {
    this.#socket = socket;
    this.#receive(received);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#lose(error));
    socket.on('close', () => this.#lose());
  }

  /** Connect to the first of `paths` (see `socketPaths`) that takes us. Rejects with DbusError. */
  static async open(paths: readonly string[]): Promise<DbusConnection> {
    const failures: string[] = [];
    for (const path of paths) {
      try {
        const socket = await connected(path);
        return new DbusConnection(socket, await authenticate(socket));
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    throw new DbusError(failures.join('; '));
  }

  /** Call a method. Resolves with the values of its answer; rejects with DbusError, or RangeError when `body` is not of its signature. */
  async call({ body = [], ...head }: MethodCall): Promise<readonly DbusValue[]> {
    if (this.#lost !== undefined) throw this.#lost;
    this.#serial += 1;
    const serial = this.#serial;
    const bytes = encodeMessage({ ...head, type: 'call', serial, body });
    const reply = new Promise<DbusMessage>((resolve, reject) => this.#waiting.set(serial, { resolve, reject }));
    this.#socket.write(bytes);
    const timer = setTimeout(() => this.#giveUp(serial, head.member), TIMEOUT_MS);
    try {
      const answer = await reply;
      if (answer.type !== 'error') return answer.body;
      throw answered(head.member, answer);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(serial);
    }
  }

  /** Hear of every signal, until what is returned is disposed of. */
  listen(listener: (signal: DbusMessage) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #giveUp(serial: number, member = 'call'): void {
    this.#waiting.get(serial)?.reject(new DbusError(`${member}: no answer within ${TIMEOUT_MS / 1000} s`));
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    try {
      for (;;) {
        const length = messageLength(this.#received);
        if (length === undefined || this.#received.length < length) return;
        this.#take(decodeMessage(this.#received.subarray(0, length)));
        this.#received = this.#received.subarray(length);
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#lose(error);
      this.#socket.destroy();
    }
  }

  #take(message: DbusMessage): void {
    if (message.type === 'signal') for (const listener of this.#listeners) listener(message);
    if (message.replySerial !== undefined) this.#waiting.get(message.replySerial)?.resolve(message);
  }

  #lose(cause?: Error): void {
    this.#lost ??= new DbusError(`The bus has gone${cause === undefined ? '' : `: ${cause.message}`}`, { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#lost);
  }
}

/** The first value of an error is, by custom, a text for people. */
function answered(member = 'call', { errorName = '', body: [reason] }: DbusMessage): DbusError {
  return new DbusError(`${member}: ${typeof reason === 'string' ? reason : 'no reason given'} (${errorName})`, {
    errorName,
  });
}

async function connected(path: string): Promise<Socket> {
  const socket = connect({ path });
  await once(socket, 'connect');
  return socket;
}

/** Returns what came after the answer already. */
async function authenticate(socket: Socket): Promise<Buffer> {
  const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
  socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  let answer = Buffer.alloc(0);
  try {
    while (!answer.includes('\r\n')) {
      const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(TIMEOUT_MS) })) as [Buffer];
      answer = Buffer.concat([answer, chunk]);
    }
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const end = answer.indexOf('\r\n');
  const line = answer.subarray(0, end).toString();
  if (!line.startsWith('OK ')) {
    socket.destroy();
    throw new DbusError(`The bus does not let us in: ${line}`);
  }
  socket.write('BEGIN\r\n');
  return answer.subarray(end + 2);
}
