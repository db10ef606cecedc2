// grpc.health.v1.Health/Check without TLS, over node:http2 (grpc/doc/health-checking.md, grpc/doc/PROTOCOL-HTTP2.md).
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { isIPv6 } from 'node:net';

import { requestFrame, responseStatus } from './grpc-health-message.ts';

export type GrpcAnswer =
  | { readonly status: number }
  /** gRPC's own status code: 12 is "unimplemented", 5 "not found". */
  | { readonly code: number; readonly message: string };

const MAX_ANSWER_BYTES = 64 * 1024;
const { HTTP2_HEADER_CONTENT_TYPE, HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_HEADER_TE } = constants;

/** Ask about a service. Rejects when there is no answer, or none of gRPC, or with the reason of `signal`. */
export async function checkGrpcHealth(
  { host, port, service }: { readonly host: string; readonly port: number; readonly service: string },
  signal: AbortSignal,
): Promise<GrpcAnswer> {
  const session = connect(`http://${isIPv6(host) ? `[${host}]` : host}:${port}`);
  const abort = (): void => session.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const answer = await ask(session, service);
    // A session that is destroyed ends its streams in an orderly way.
    signal.throwIfAborted();
    return answer;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    session.destroy();
  }
}

function ask(session: ClientHttp2Session, service: string): Promise<GrpcAnswer> {
  return new Promise((resolve, reject) => {
    session.once('error', reject).once('close', () => reject(new Error('the connection was closed')));
    const stream = session.request({
      [HTTP2_HEADER_METHOD]: 'POST',
      [HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
      [HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [HTTP2_HEADER_TE]: 'trailers',
      'user-agent': 'kube-probe/berth',
    });
    let headers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('response', (received) => {
      headers = { ...headers, ...received };
    });
    stream.on('trailers', (received) => {
      headers = { ...headers, ...received };
    });
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) stream.destroy(new Error('the answer is too long'));
      else chunks.push(chunk);
    });
    stream.once('error', reject);
    stream.once('end', () => resolve(answerOf(headers, Buffer.concat(chunks))));
    stream.end(requestFrame(service));
  });
}

function answerOf(headers: IncomingHttpHeaders, body: Buffer): GrpcAnswer {
  const code = Number(headers['grpc-status'] ?? Number.NaN);
  const status = responseStatus(body);
  if (code === 0 && status !== undefined) return { status };
  const what = Number.isNaN(code)
    ? `HTTP status ${String(headers[':status'] ?? '?')}, no gRPC`
    : String(headers['grpc-message'] ?? '');
  return { code: Number.isNaN(code) || code === 0 ? 2 : code, message: what };
}
