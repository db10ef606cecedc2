// A command's side of the agent's socket.
import { connect } from 'node:net';

import { isErrno } from '../linux/errno.ts';
import {
  answerSchema,
  MAX_LINE_BYTES,
  RESULT_SCHEMAS,
  type ControlMethod,
  type ControlQuestion,
  type ControlResult,
} from './control-protocol.ts';

const ANSWER_MS = 30_000;

/** The agent is there, but did not answer, or not sensibly. */
export class ControlError extends Error {
  readonly code = 'CONTROL_FAILED';

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'ControlError';
  }
}

/** Ask the agent at `path`. Undefined: no agent is running there. Rejects with ControlError, or EACCES when we may not ask. */
export async function askAgent<M extends ControlMethod>(
  path: string,
  request: Extract<ControlQuestion, { method: M }>,
): Promise<ControlResult<M> | undefined> {
  const line = await exchange(path, `${JSON.stringify(request)}\n`);
  if (line === undefined) return undefined;
  const parsed = answerSchema.safeParse(parseJson(line));
  if (!parsed.success)
    throw new ControlError('The agent answered something else than an answer', { cause: parsed.error });
  if (!parsed.data.ok) throw new ControlError(`The agent refused: ${parsed.data.error}`);
  const result = RESULT_SCHEMAS[request.method].safeParse(parsed.data.result);
  if (!result.success) {
    throw new ControlError('The agent is of another version than this command: restart it', { cause: result.error });
  }
  return result.data as ControlResult<M>;
}

function exchange(path: string, text: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let answer = '';
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new ControlError('The agent did not answer within 30 s')));
    socket.once('connect', () => socket.write(text));
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (answer.length > MAX_LINE_BYTES) socket.destroy(new ControlError('The answer of the agent is too long'));
      const end = answer.indexOf('\n');
      if (end === -1) return;
      resolve(answer.slice(0, end));
      socket.destroy();
    });
    socket.once('error', (error) => {
      if (isErrno(error, 'ENOENT', 'ECONNREFUSED')) resolve(undefined);
      else reject(isErrno(error, 'EPIPE', 'ECONNRESET') ? hungUp(error) : error);
    });
    socket.once('close', () => reject(hungUp()));
  });
}

function hungUp(cause?: unknown): ControlError {
  return new ControlError('The agent closed the connection without an answer', { cause });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ControlError('The agent answered something else than JSON', { cause: error });
  }
}
