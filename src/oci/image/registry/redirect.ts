// Follows redirects by hand, so that an Authorization header goes to the registry itself and nowhere else.
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';

import { OciError } from '../../error.ts';

import type { HttpConnections } from './http.ts';

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export type Answer = { readonly message: IncomingMessage; readonly url: URL };

export type RedirectedRequest = {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly authorization: string | undefined;
  readonly signal: AbortSignal | undefined;
};

/**
 * Send a request and follow its redirects. `authorization` is dropped at the first hop to another origin and never comes
 * back. Throws OciError REGISTRY_PROTOCOL on a redirect that must not be followed, and what `HttpConnections.send` throws.
 */
export async function sendFollowing(connections: HttpConnections, request: RedirectedRequest): Promise<Answer> {
  const { method, headers, signal } = request;
  let { url, authorization } = request;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const all = authorization === undefined ? headers : { ...headers, authorization };
    const message = await connections.send({ method, url, headers: all, signal });
    if (!REDIRECTS.has(message.statusCode ?? 0)) return { message, url };
    message.resume();
    const target = redirectTarget(url, message.headers.location);
    if (target.origin !== url.origin) authorization = undefined;
    url = target;
  }
  throw new OciError('REGISTRY_PROTOCOL', `${request.url.host} redirects more than ${MAX_REDIRECTS} times`);
}

/** Where a Location header leads from `from`. Throws OciError REGISTRY_PROTOCOL when it may not be followed. */
export function redirectTarget(from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new OciError('REGISTRY_PROTOCOL', `${from.host} redirects without a Location that is a URL`);
  }
  const target = new URL(location, from);
  if (target.protocol !== 'https:' && !(target.protocol === 'http:' && from.protocol === 'http:')) {
    throw new OciError(
      'REGISTRY_PROTOCOL',
      `${from.host} redirects to ${target.protocol}//${target.host}, which is not https`,
    );
  }
  if (target.username !== '' || target.password !== '') {
    throw new OciError('REGISTRY_PROTOCOL', `${from.host} redirects to a URL with a user name or password`);
  }
  return target;
}
