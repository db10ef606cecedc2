// GET as the kubelet's probes make it: certificates are not verified, redirects are followed on the same host only, and no more
// of a body is read than a message can show.
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import type { RequestOptions as HttpsOptions } from 'node:https';
import { isIPv6 } from 'node:net';

import type { HttpAction } from '../../spec/health.ts';

export type HttpAnswer = { readonly status: number; readonly body: string };

const MAX_REDIRECTS = 10;
const MAX_BODY_BYTES = 10 * 1024;

/** Ask, and follow redirects. `address` is the pod's. Rejects when there is no answer, or with the reason of `signal`. */
export async function httpGet(action: HttpAction, address: string, signal: AbortSignal): Promise<HttpAnswer> {
  const { scheme, port, path } = action;
  const host = action.host ?? address;
  const headers = headersOf(action);
  let url = new URL(`${scheme.toLowerCase()}://${isIPv6(host) ? `[${host}]` : host}:${port}`);
  url = new URL(`${url.origin}${path.startsWith('/') ? '' : '/'}${path}`);
  for (let redirects = 0; ; redirects += 1) {
    const { status, location, body } = await once(url, headers, signal);
    if (location === undefined) return { status, body };
    const next = new URL(location, url);
    // Another host's health says nothing of this container: the redirect itself is the answer.
    if (next.hostname !== url.hostname) return { status, body };
    if (redirects + 1 >= MAX_REDIRECTS) throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
    url = next;
  }
}

function headersOf({ headers }: HttpAction): Record<string, string[]> {
  const all: Record<string, string[]> = { 'user-agent': ['kube-probe/berth'], accept: ['*/*'] };
  const given = new Set<string>();
  for (const { name, value } of headers) {
    const key = name.toLowerCase();
    all[key] = given.has(key) ? [...(all[key] ?? []), value] : [value];
    given.add(key);
  }
  return all;
}

type Answer = HttpAnswer & { readonly location: string | undefined };

async function once(url: URL, headers: Record<string, string[]>, signal: AbortSignal): Promise<Answer> {
  const { host, ...others } = headers;
  const options: HttpsOptions = {
    headers: { ...others, ...(host?.[0] === undefined ? {} : { host: host[0] }) },
    agent: false,
    signal,
    rejectUnauthorized: false,
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    send(url, options, resolve).then((error) => reject(error), reject);
  });
  const status = response.statusCode ?? 0;
  const isRedirect = [301, 302, 303, 307, 308].includes(status);
  return { status, body: await startOf(response), location: isRedirect ? response.headers.location : undefined };
}

/** Fulfilled with the error, should there be one. TLS is loaded where somebody asks for it. */
async function send(url: URL, options: RequestOptions, answer: (response: IncomingMessage) => void): Promise<Error> {
  const request = url.protocol === 'https:' ? (await import('node:https')).request : httpRequest;
  return new Promise((resolve) => {
    request(url, options, answer).once('error', resolve).end();
  });
}

async function startOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_BODY_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('utf8');
}
