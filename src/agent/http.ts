// GET /metrics, /healthz and /readyz, and POST /hooks/NAME where a source has a hook. Only hooks ask for a secret, so it
// listens on the loopback unless told otherwise.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

import { isErrno } from '../linux/errno.ts';
import { http } from '../oci/node-http.ts';
import type { WebhookHandler } from './webhook.ts';
import { formatAddress, type ListenAddress } from './listen-address.ts';

export type HttpOptions = {
  readonly address: ListenAddress;
  readonly metrics: { readonly contentType: string; readonly scrape: () => Promise<string> };
  /** What keeps the agent from being ready; none: it is. */
  readonly unready: () => readonly string[];
  /** Answers what is below `/hooks/`. Undefined: nothing is. */
  readonly hooks?: WebhookHandler | undefined;
  /** A request failed. */
  readonly onError: (error: unknown) => void;
};

export type HttpService = { readonly address: ListenAddress; readonly close: () => Promise<void> };

const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 15_000;
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8_192;

/** The port is taken, or the address is not this machine's. */
export class ListenError extends Error {
  readonly code = 'LISTEN_FAILED';

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'ListenError';
  }
}

/** Serve until closed. Rejects with ListenError. */
export async function serveHttp(options: HttpOptions): Promise<HttpService> {
  const server = http.createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      answer(request, response, options).catch((error: unknown) => {
        options.onError(error);
        end(response, 500, 'it failed; see the log of the agent\n');
      });
    },
  );
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  server.maxConnections = MAX_CONNECTIONS;
  const port = await listen(server, options.address);
  return { address: { ...options.address, port }, close: () => close(server) };
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HttpOptions): Promise<void> {
  const [path] = (request.url ?? '').split('?');
  if (options.hooks !== undefined && path?.startsWith('/hooks/') === true) {
    const { status, text } = await options.hooks(request);
    // What was not read of the body is not waited for.
    if (!request.complete) response.setHeader('connection', 'close');
    return end(response, status, text);
  }
  const known = path === '/metrics' || path === '/healthz' || path === '/readyz';
  if (!known) return end(response, 404, 'there are /metrics, /healthz and /readyz\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return end(response, 405, 'GET only\n');
  }
  if (path === '/healthz') return end(response, 200, 'ok\n');
  if (path === '/readyz') {
    const reasons = options.unready();
    return end(response, reasons.length === 0 ? 200 : 503, reasons.length === 0 ? 'ok\n' : `${reasons.join('\n')}\n`);
  }
  const text = await options.metrics.scrape();
  end(response, 200, text, options.metrics.contentType);
}

function end(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

function listen(server: Server, address: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, address)));
    server.listen({ host: address.host, port: address.port }, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : address.port);
    });
  });
}

function listenError(error: Error, address: ListenAddress): ListenError {
  const where = formatAddress(address);
  const reason = isErrno(error, 'EADDRINUSE')
    ? 'another program has the port; choose one with --listen, or --listen off'
    : isErrno(error, 'EADDRNOTAVAIL', 'ENOTFOUND')
      ? 'this machine has no such address'
      : error.message;
  return new ListenError(`Cannot listen on ${where}: ${reason}`, { cause: error });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
