// Where a command writes. The one place that touches standard output and error.
import { once } from 'node:events';

export type Output = {
  /** Standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Standard error is a terminal: progress may move the cursor. */
  readonly isErrorTerminal: boolean;
  /** Characters a line of standard error. */
  readonly errorColumns: () => number;
  /** Write as it is. */
  readonly write: (text: string | Uint8Array) => void;
  /** Write as it is; fulfilled when the reader has kept up, so that much output does not pile up in memory. */
  readonly send: (bytes: Uint8Array) => Promise<void>;
  /** Write a line. */
  readonly line: (text: string) => void;
  /** Write a line for people to standard error. */
  readonly note: (text: string) => void;
  /** Write to standard error as it is. */
  readonly writeError: (text: string) => void;
};

/** A signal ended the reader of our output: what a shell reports of a program that SIGPIPE ended. */
const SIGPIPE_EXIT = 141;

/**
 * Output to the streams of this process, which are made when they are first written to: most commands use one, and `run` none. A
 * reader that went away (`| head`) ends the process quietly.
 */
export function processOutput(): Output {
  return {
    get isTerminal() {
      return process.stdout.isTTY;
    },
    get isErrorTerminal() {
      return process.stderr.isTTY;
    },
    errorColumns: () => process.stderr.columns ?? 80,
    write: (text) => void standardOutput().write(text),
    send: (bytes) => send(standardOutput(), bytes),
    line: (text) => void standardOutput().write(`${text}\n`),
    note: (text) => void standardError().write(`${text}\n`),
    writeError: (text) => void standardError().write(text),
  };
}

const used = new Set<NodeJS.WriteStream>();

/** Standard output; when its reader goes away, the process ends. */
export function standardOutput(): NodeJS.WriteStream {
  return watched(process.stdout);
}

function standardError(): NodeJS.WriteStream {
  return watched(process.stderr);
}

function watched(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  if (used.has(stream)) return stream;
  used.add(stream);
  return stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(SIGPIPE_EXIT);
    throw error;
  });
}

/** Fulfilled when everything written has left this process: `process.exit` would cut off what a pipe has not taken yet. */
export async function flushed(): Promise<void> {
  await Promise.all([...used].map(drained));
}

async function send(stream: NodeJS.WriteStream, bytes: Uint8Array): Promise<void> {
  if (!stream.write(bytes)) await once(stream, 'drain');
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}
