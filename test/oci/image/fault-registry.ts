// A registry in this process that serves what it was given and fails as it was told.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { digestOf } from '../../../src/oci/image/digest.ts';
import { OCI_MANIFEST } from '../../../src/oci/image/media-type.ts';

import type { SampleImage } from './sample-image.ts';

export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Path without the query, such as `/v2/app/blobs/sha256:…`. */
  readonly path: string;
  /** How often this path was asked for, from 1. */
  readonly count: number;
  /** Answer as a good registry would. */
  readonly serve: () => void;
};

export type SeenRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
};

export type FaultRegistry = AsyncDisposable & {
  /** `127.0.0.1:port`, the registry part of references. */
  readonly host: string;
  readonly url: string;
  readonly seen: readonly SeenRequest[];
};

/** What is served. Keys of `manifests` are tags; digests are always found. */
export type Content = {
  readonly manifests: ReadonlyMap<string, { readonly bytes: Buffer; readonly contentType: string }>;
  readonly blobs: ReadonlyMap<string, Buffer>;
};

/** Content with one image under the tag `1`. */
export function contentOf(image: SampleImage): Content {
  return { manifests: new Map([['1', { bytes: image.manifest, contentType: OCI_MANIFEST }]]), blobs: image.blobs };
}

/** Start on a free loopback port. `fault` sees every request and calls `serve` for those that it lets through. */
export async function startRegistry(
  content: Content,
  fault: (exchange: Exchange) => void = ({ serve }) => serve(),
): Promise<FaultRegistry> {
  const seen: SeenRequest[] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const { pathname: path, search: query } = new URL(request.url ?? '/', 'http://registry');
    const { authorization, range } = request.headers;
    seen.push({ method: request.method ?? '', path, query, authorization, range });
    counts.set(path, (counts.get(path) ?? 0) + 1);
    fault({
      request,
      response,
      path,
      count: counts.get(path) ?? 0,
      serve: () => serve(content, request, response, path),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Send an error as the distribution specification has it. */
export function sendError(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code: `FAULT_${status}`, message: 'as told' }] }));
}

/** Announce the whole blob, send the first `bytes` of what is asked for, and cut the connection. */
export function sendThenCut(
  response: ServerResponse,
  blob: Buffer,
  { start, bytes }: { start: number; bytes: number },
): void {
  response.writeHead(start === 0 ? 200 : 206, {
    'content-length': blob.length - start,
    ...(start === 0 ? {} : { 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` }),
  });
  response.flushHeaders();
  response.write(blob.subarray(start, start + bytes), () => response.socket?.end());
}

/** Where a request's Range begins; 0 without one. */
export function rangeStart(request: IncomingMessage): number {
  return Number(/^bytes=([0-9]+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
}

function serve(content: Content, request: IncomingMessage, response: ServerResponse, path: string): void {
  const match = /^\/v2\/.+\/(manifests|blobs)\/([^/]+)$/.exec(path);
  const target = match?.[2] ?? '';
  if (match?.[1] === 'manifests') return serveManifest(content, request, response, target);
  const blob = content.blobs.get(target);
  if (blob === undefined) return sendError(response, 404);
  const start = rangeStart(request);
  response.writeHead(request.headers.range === undefined ? 200 : 206, {
    'content-length': blob.length - start,
    ...(request.headers.range === undefined
      ? {}
      : { 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` }),
  });
  response.end(blob.subarray(start));
}

function serveManifest(
  { manifests }: Content,
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
): void {
  const found = manifests.get(target) ?? [...manifests.values()].find(({ bytes }) => digestOf(bytes) === target);
  if (found === undefined) return sendError(response, 404);
  response.writeHead(200, {
    'content-type': found.contentType,
    'content-length': found.bytes.length,
    'docker-content-digest': digestOf(found.bytes),
  });
  response.end(request.method === 'HEAD' ? undefined : found.bytes);
}
