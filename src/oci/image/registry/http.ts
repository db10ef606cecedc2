// One HTTP request over node:http(s). Redirects, credentials and retries are decided above; this file moves bytes.
// node:http and not fetch: a body arrives as the buffers that were read, without a web stream's cost per chunk.
import type { Agent as PlainAgent, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';

import { OciError } from '../../error.ts';
import { http } from '../../node-http.ts';

import { plainAgent, secureAgent } from './large-reads.ts';
import { TransientFailure } from './retry.ts';

const USER_AGENT = 'berth';
const MAX_HEADER_BYTES = 64 * 1024;

export type HttpRequest = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  /** An iterable is read as fast as the connection takes it; the headers say how long it is. */
  readonly body?: string | Buffer | AsyncIterable<Buffer>;
  readonly signal: AbortSignal | undefined;
};

export type HttpOptions = {
  /** A connection on which no byte moves for so long is cut. */
  readonly idleTimeoutMs?: number;
  /** PEM certificates to trust, instead of those that Node trusts. */
  readonly ca?: string;
  /** Where to read HTTP_PROXY, HTTPS_PROXY and NO_PROXY from; without it no proxy is used. */
  readonly proxyEnv?: NodeJS.ProcessEnv;
};

/** Keeps connections to registries open between requests. Disposing closes them. */
export class HttpConnections implements Disposable {
  readonly #plain: PlainAgent;
  readonly #secure: SecureAgent;
  readonly #idleTimeoutMs: number;

  constructor({ idleTimeoutMs = 30_000, ca, proxyEnv }: HttpOptions = {}) {
    const options = { keepAlive: true, maxSockets: 16 };
    const trust = ca === undefined ? {} : { ca };
    // To a proxy, the agent itself talks first on the socket, which large reads would take away from it.
    const [plain, secure] =
      proxyEnv === undefined
        ? [plainAgent(options), secureAgent({ ...options, ...trust })]
        : [new http.Agent({ ...options, proxyEnv }), new SecureAgent({ ...options, ...trust, proxyEnv })];
    this.#plain = plain;
    this.#secure = secure;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /**
   * Send a request; resolves when the header of the answer is in. The caller reads or destroys the body. Throws
   * TransientFailure (REGISTRY_UNREACHABLE) when the connection fails, and the signal's reason when it aborts.
   */
  async send({ method, url, headers, body, signal }: HttpRequest): Promise<IncomingMessage> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const secure = url.protocol === 'https:';
    const options = {
      method,
      headers: { 'user-agent': USER_AGENT, 'accept-encoding': 'identity', ...headers },
      agent: secure ? this.#secure : this.#plain,
      maxHeaderSize: MAX_HEADER_BYTES,
      timeout: this.#idleTimeoutMs,
      ...(signal === undefined ? {} : { signal }),
    };
    let answer: IncomingMessage | undefined;
    const request = (secure ? secureRequest : http.request)(url, options, (response) => {
      answer = response;
      resolve(response);
    });
    request.on('timeout', () => {
      // Bytes wait to be taken: the reader is slow, not the registry.
      if (answer !== undefined && answer.readableLength > 0) return;
      (answer ?? request).destroy(new Error(`no byte for ${this.#idleTimeoutMs / 1000} s`));
    });
    request.on('error', reject);
    if (typeof body !== 'object' || Buffer.isBuffer(body)) request.end(body);
    // What fails on the way destroys the request, which rejects.
    else void pipeline(body, request).catch((error: unknown) => reject(error));
    try {
      return await promise;
    } catch (error) {
      signal?.throwIfAborted();
      // The body's own failure, such as a blob that is shorter on the disk than it should be.
      throw error instanceof OciError ? error : connectionFailure(url, error);
    }
  }

  [Symbol.dispose](): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }
}

/** The failure of a connection to `url`: transient, but for TLS, where asking again changes nothing. */
export function connectionFailure(url: URL, cause: unknown): TransientFailure | OciError {
  const reason = cause instanceof Error ? describe(cause) : String(cause);
  const hint = tlsHint(cause);
  const message = `${url.host} cannot be reached: ${reason}${hint === undefined ? '' : ` (${hint})`}`;
  const error = new OciError('REGISTRY_UNREACHABLE', message, { cause });
  return hint === undefined ? new TransientFailure(error) : error;
}

function tlsHint(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG' || code === 'EPROTO') {
    return 'it may speak plain http: then list it as an insecure registry';
  }
  const certificate = /CERT|SIGNATURE|^UNABLE_TO_/.test(code);
  return certificate
    ? 'its certificate is not trusted here: NODE_EXTRA_CA_CERTS names a file with more authorities'
    : undefined;
}

/** Read a body of at most `maxBytes`. Throws OciError REGISTRY_PROTOCOL when there is more, TransientFailure when cut. */
export async function readBody(answer: IncomingMessage, url: URL, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw connectionFailure(url, error);
  }
  if (sizeBytes > maxBytes) {
    throw new OciError('REGISTRY_PROTOCOL', `${url.host} sent more than ${maxBytes} bytes for ${url.pathname}`);
  }
  return Buffer.concat(chunks);
}

// A refused connection to every address of a host is an AggregateError with an empty message.
function describe(error: Error): string {
  if (error.message !== '') return error.message;
  return error instanceof AggregateError ? error.errors.map(String).join('; ') : error.name;
}
