// The agent's side of its socket. Who may ask: docs/decisions/0006-control-socket.md.
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

import { peerCredentials } from '../linux/peer-credentials.ts';
import {
  MAX_LINE_BYTES,
  requestSchema,
  type ControlMethod,
  type ControlRequest,
  type ControlResult,
} from './control-protocol.ts';

export type ControlHandlers = {
  readonly [M in ControlMethod]: (
    request: Extract<ControlRequest, { method: M }>,
  ) => Promise<ControlResult<M>> | ControlResult<M>;
};

export type ControlService = { readonly close: () => Promise<void> };

const IDLE_MS = 30_000;
const MAX_CONNECTIONS = 32;
const MAX_REQUEST_BYTES = 65_536;

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
    for (const line of lines) void answerLine(line, handlers).then((answer) => socket.write(`${answer}\n`));
  });
}

async function answerLine(line: string, handlers: ControlHandlers): Promise<string> {
  try {
    const request = requestSchema.parse(JSON.parse(line));
    const answer = JSON.stringify({ ok: true, result: await handle(request, handlers) });
    if (answer.length > MAX_LINE_BYTES) throw new Error('The answer is too long');
    return answer;
  } catch (error) {
    return JSON.stringify({ ok: false, error: error instanceof Error ? error.message : String(error) });
  }
}

function handle(request: ControlRequest, handlers: ControlHandlers): unknown {
  switch (request.method) {
    case 'status':
      return handlers.status(request);
    case 'plan':
      return handlers.plan(request);
    case 'reconcile':
      return handlers.reconcile(request);
  }
}
