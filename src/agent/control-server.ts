// The agent's side of its socket. Who may ask: docs/decisions/0006-control-socket.md.
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

import { peerCredentials } from '../linux/peer-credentials.ts';
import type { JournalEntry } from '../reconcile/journal-entry.ts';
import {
  MAX_LINE_BYTES,
  requestSchema,
  type ControlMethod,
  type ControlQuestion,
  type ControlResult,
} from './control-protocol.ts';

export type ControlHandlers = {
  readonly [M in ControlMethod]: (
    request: Extract<ControlQuestion, { method: M }>,
  ) => Promise<ControlResult<M>> | ControlResult<M>;
} & {
  /** Tell `listener` of each entry until disposed. Fulfilled when all earlier ones are in the journal's files. */
  readonly events: (listener: (entry: JournalEntry) => void) => Promise<Disposable>;
};

export type ControlService = { readonly close: () => Promise<void> };

const IDLE_MS = 30_000;
const MAX_CONNECTIONS = 32;
const MAX_REQUEST_BYTES = 65_536;
/** What a listener may lag behind. */
const MAX_UNSENT_BYTES = 1024 * 1024;

/** Serve at `path`, in place of what an agent that crashed left there. The caller holds the agent's lock. */
export async function serveControl(path: string, handlers: ControlHandlers): Promise<ControlService> {
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    if (!mayAsk(socket)) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serveConnection(socket, handlers);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, path);
  chmodSync(path, 0o600);
  return {
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

/** Root, and the user that the agent itself runs as. A peer that the kernel does not tell of may not. */
function mayAsk(socket: Socket): boolean {
  // Node keeps the descriptor of a connection to itself; without it nobody is let in.
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } };
  if (handle?.fd === undefined || handle.fd < 0) return false;
  const { uid } = peerCredentials(handle.fd);
  return uid === 0 || uid === process.getuid?.();
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
}

function serveConnection(socket: Socket, handlers: ControlHandlers): void {
  let text = '';
  socket.setEncoding('utf8');
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  // A client that went away has nobody to tell.
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    text += chunk;
    if (text.length > MAX_REQUEST_BYTES) {
      socket.destroy();
      return;
    }
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      void answerLine(line, { handlers, socket }).then((answer) => socket.write(`${JSON.stringify(answer)}\n`));
    }
  });
}

type Connection = { readonly socket: Socket; readonly handlers: ControlHandlers };
type Answer = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: string };

async function answerLine(line: string, { socket, handlers }: Connection): Promise<Answer> {
  try {
    const request = requestSchema.parse(JSON.parse(line));
    const result = request.method === 'events' ? await tell(socket, handlers) : await handle(request, handlers);
    if (JSON.stringify(result).length > MAX_LINE_BYTES) throw new Error('The answer is too long');
    return { ok: true, result };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

/** Events may be far apart, so that silence does not end the connection. Who does not keep up is cut off. */
async function tell(socket: Socket, { events }: ControlHandlers): Promise<unknown> {
  socket.setTimeout(0);
  const subscription = await events((result) => {
    if (socket.writableLength > MAX_UNSENT_BYTES) socket.destroy();
    else socket.write(`${JSON.stringify({ ok: true, result })}\n`);
  });
  if (socket.destroyed) subscription[Symbol.dispose]();
  else socket.once('close', () => subscription[Symbol.dispose]());
  return {};
}

function handle(request: ControlQuestion, handlers: ControlHandlers): unknown {
  switch (request.method) {
    case 'status':
      return handlers.status(request);
    case 'plan':
      return handlers.plan(request);
    case 'reconcile':
      return handlers.reconcile(request);
  }
}
