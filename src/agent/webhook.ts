// POST /hooks/NAME: somebody who knows the secret says that there is something new. It only makes the agent look sooner.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

export type Webhook = {
  readonly name: string;
  /** The secret of now. Rejects when it cannot be read. */
  readonly secret: () => Promise<string>;
  readonly onCall: () => void;
};

export type WebhookAnswer = { readonly status: number; readonly text: string };
export type WebhookHandler = (request: IncomingMessage) => Promise<WebhookAnswer>;

export const HOOKS_PATH = '/hooks/';
const MAX_BODY_BYTES = 1024 * 1024;
/** So many calls of one hook at once, and then one each `REFILL_MS`. */
const BURST = 10;
const REFILL_MS = 2000;

/**
 * Answers requests for paths below `/hooks/`: 202 when the hook was called by somebody who knows its secret. `now` is in
 * milliseconds. Rejects when the secret cannot be read.
 */
export function webhookHandler(hooks: readonly Webhook[], now: () => number): WebhookHandler {
  const known = new Map(hooks.map((hook) => [hook.name, { hook, allowance: new Allowance(now) }]));
  return async (request) => {
    const [path = ''] = (request.url ?? '').split('?');
    const found = known.get(path.slice(HOOKS_PATH.length));
    if (found === undefined) return { status: 404, text: 'there is no such hook\n' };
    if (request.method !== 'POST') return { status: 405, text: 'POST only\n' };
    if (!found.allowance.take())
      return { status: 429, text: 'too many calls; the source is asked at intervals anyway\n' };
    const body = await readBody(request);
    if (body === undefined) return { status: 413, text: `more than ${MAX_BODY_BYTES} bytes\n` };
    if (!isAuthentic(request.headers, body, await found.hook.secret())) {
      return { status: 401, text: 'the signature or token does not fit the secret\n' };
    }
    found.hook.onCall();
    return { status: 202, text: 'looking\n' };
  };
}

/**
 * Whether the sender knows `secret`: an HMAC over the body as GitHub (X-Hub-Signature-256) and Gitea and Forgejo
 * (X-Gitea-Signature) send it, or GitLab's X-Gitlab-Token, which is the secret itself. Takes the same time for all
 * that do not. Pure.
 */
export function isAuthentic(headers: IncomingHttpHeaders, body: Buffer, secret: string): boolean {
  const mac = createHmac('sha256', secret).update(body).digest('hex');
  const github = headers['x-hub-signature-256'];
  if (typeof github === 'string') return isEqual(github, `sha256=${mac}`);
  const gitea = headers['x-gitea-signature'];
  if (typeof gitea === 'string') return isEqual(gitea, mac);
  const token = headers['x-gitlab-token'];
  return typeof token === 'string' && isEqual(token, secret);
}

/** By MACs under a key that nobody knows, so that neither content nor length shows in the time it takes. */
function isEqual(one: string, other: string): boolean {
  const key = randomBytes(32);
  const [left, right] = [one, other].map((text) => createHmac('sha256', key).update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}

/** Undefined when there is too much of it. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A bucket of tokens. */
class Allowance {
  readonly #now: () => number;
  #left = BURST;
  #since: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  take(): boolean {
    const now = this.#now();
    this.#left = Math.min(BURST, this.#left + Math.max(0, now - this.#since) / REFILL_MS);
    this.#since = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
