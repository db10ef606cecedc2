// From an answer that is no success to an error for people: distribution specification, "Error Codes".
import type { IncomingMessage } from 'node:http';

import { OciError, type OciErrorCode } from '../../error.ts';
import { http } from '../../node-http.ts';
import { fields, list, optional, parseJson, text } from '../json-decode.ts';

import { readBody } from './http.ts';
import { parseRetryAfter, TransientFailure } from './retry.ts';

const MAX_ERROR_BYTES = 64 * 1024;
const MAX_SHOWN = 200;
const TRANSIENT: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

const decodeErrors = fields({
  errors: optional(list(fields({ code: optional(text()), message: optional(text()) }), 100)),
  // Token services are OAuth2: RFC 6749 section 5.2.
  error: optional(text()),
  details: optional(text()),
});

export type Exchange = { readonly method: string; readonly url: URL; readonly who: string; readonly hint?: string };

/** Read the rest of a failed answer and make the error of it: `registry answered 404 Not Found to GET https://…`. */
export async function failureOf(answer: IncomingMessage, exchange: Exchange): Promise<OciError | TransientFailure> {
  const status = answer.statusCode ?? 0;
  const detail = explain(await readBody(answer, exchange.url, MAX_ERROR_BYTES).catch(() => Buffer.alloc(0)));
  const { method, url, who, hint } = exchange;
  const shown = `${who} answered ${status} ${http.STATUS_CODES[status] ?? ''}`.trimEnd();
  // Without the query: a redirect's may hold a signature that grants access.
  const message = `${shown} to ${method} ${url.origin}${url.pathname}${detail === '' ? '' : ` (${detail})`}${hint ?? ''}`;
  const error = new OciError(codeOf(status), message);
  if (!TRANSIENT.has(status)) return error;
  return new TransientFailure(error, parseRetryAfter(answer.headers['retry-after'], Date.now()));
}

function codeOf(status: number): OciErrorCode {
  if (status === 401 || status === 403) return 'REGISTRY_UNAUTHORIZED';
  if (status === 404) return 'REGISTRY_NOT_FOUND';
  if (status === 429) return 'REGISTRY_RATE_LIMITED';
  return status >= 500 || status === 408 ? 'REGISTRY_FAILED' : 'REGISTRY_PROTOCOL';
}

function explain(body: Buffer): string {
  try {
    const { errors, error, details } = decodeErrors(parseJson(body), '');
    const first = errors?.[0];
    return clean([first?.code ?? error, first?.message ?? details].filter((part) => part !== undefined).join(': '));
  } catch {
    // A proxy's HTML page, or nothing: the status says enough.
    return '';
  }
}

// The text is the server's and ends in terminals and logs: no control characters, not long.
function clean(text: string): string {
  const printable = text.replaceAll(/[\p{C}\s]+/gu, ' ').trim();
  return printable.length > MAX_SHOWN ? `${printable.slice(0, MAX_SHOWN)}…` : printable;
}
