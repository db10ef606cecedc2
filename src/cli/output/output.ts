// Where a command writes. The one place that touches standard output and error.
import { once } from 'node:events';
import { format } from 'node:util';

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

/** Output to the streams of this process. A reader that went away (`| head`) ends the process quietly. */
export function processOutput(): Output {
  const { stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(SIGPIPE_EXIT);
      throw error;
    });
  }
  return {
    isTerminal: stdout.isTTY,
    isErrorTerminal: stderr.isTTY,
    errorColumns: () => stderr.columns ?? 80,
    write: (text) => void stdout.write(text),
    send: (bytes) => send(stdout, bytes),
    line: (text) => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${format('%s', text)}\n`),
    writeError: (text) => void stderr.write(text),
  };
}

/** Fulfilled when everything written has left this process: `process.exit` would cut off what a pipe has not taken yet. */
export async function flushed(): Promise<void> {
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
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
