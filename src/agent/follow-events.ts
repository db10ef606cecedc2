// A command's side of the agent's socket, where it listens: each entry of the journal as it is made.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

import { isErrno } from '../linux/errno.ts';
import type { JournalEntry } from '../reconcile/journal-entry.ts';
import { ControlError } from './control-client.ts';
import { answerSchema, eventSchema } from './control-protocol.ts';

export type EventStream = AsyncDisposable & {
  /** Ends when the agent does, or with the stream's disposal. */
  readonly entries: AsyncIterable<JournalEntry>;
};

/**
 * Listen to the agent at `path`. Fulfilled when everything earlier is in the journal's files; an entry from around that moment may
 * be in both. Undefined: no agent is running there. Rejects with ControlError.
 */
export async function followEvents(path: string, signal: AbortSignal): Promise<EventStream | undefined> {
  const socket = connect(path);
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ECONNREFUSED')) return undefined;
    throw error;
  }
  socket.write(`${JSON.stringify({ method: 'events' })}\n`);
  const reader = createInterface({ input: socket });
  const lines = reader[Symbol.asyncIterator]();
  // The end of the agent, or ours, is the end of the lines.
  socket.on('error', () => socket.destroy()).once('close', () => reader.close());
  const early = await untilReady(lines);
  return {
    entries: entriesOf(early, { [Symbol.asyncIterator]: () => lines }),
    [Symbol.asyncDispose]: () => {
      socket.destroy();
      return Promise.resolve();
    },
  };
}

/** What is told before the answer that everything earlier is on disk. */
async function untilReady(lines: AsyncIterator<string>): Promise<JournalEntry[]> {
  const early: JournalEntry[] = [];
  for (;;) {
    const line = await lines.next();
    if (line.done === true) throw new ControlError('The agent closed the connection without an answer');
    const entry = parseEvent(line.value);
    if (entry === undefined) return early;
    early.push(entry);
  }
}

async function* entriesOf(early: readonly JournalEntry[], lines: AsyncIterable<string>): AsyncGenerator<JournalEntry> {
  yield* early;
  for await (const line of lines) {
    const entry = parseEvent(line);
    if (entry !== undefined) yield entry;
  }
}

/** Undefined: the answer that comes first. */
function parseEvent(line: string): JournalEntry | undefined {
  const answer = answerSchema.safeParse(parseJson(line));
  if (!answer.success)
    throw new ControlError('The agent answered something else than an answer', { cause: answer.error });
  if (!answer.data.ok) throw new ControlError(`The agent refused: ${answer.data.error}`);
  const event = eventSchema.safeParse(answer.data.result);
  if (event.success) return event.data;
  throw new ControlError('The agent is of another version than this command: restart it', { cause: event.error });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ControlError('The agent answered something else than JSON', { cause: error });
  }
}
