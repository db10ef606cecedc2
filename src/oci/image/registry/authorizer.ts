// Answers a registry's 401: with Basic credentials, or with a token from its token service
// (distribution's "Token Authentication Specification" and "OAuth2 Token Authentication").
import { OciError } from '../../error.ts';
import { DecodeError, fields, optional, parseJson, text } from '../json-decode.ts';

import { parseChallenges } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { failureOf } from './failure.ts';
import { readBody, type HttpConnections, type HttpRequest } from './http.ts';
import { acceptRealm } from './realm.ts';

const MAX_TOKEN_BYTES = 256 * 1024;
// What a header may hold (RFC 6750 section 2.1), so that a token cannot inject another header.
const isToken = (value: string): boolean => /^[A-Za-z0-9._~+/=-]+$/.test(value);
const decodeToken = fields({
  token: optional(text('a token', isToken)),
  access_token: optional(text('a token', isToken)),
});

export type AuthorizerOptions = {
  readonly connections: HttpConnections;
  readonly registry: URL;
  /** Such as `repository:library/nginx:pull`; used when the registry's challenge names none. */
  readonly scope: string;
  /** Asked at the first 401 and then remembered. Throws OciError CREDENTIALS_INVALID. */
  readonly credentials: (signal: AbortSignal | undefined) => Credentials | undefined | Promise<Credentials | undefined>;
  readonly realmHosts: readonly string[];
};

/** Holds the authorization of one repository at one registry. Its header may only ever be sent to that registry. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  #header: string | undefined;
  #known: { readonly credentials: Credentials | undefined } | undefined;
  #answering: Promise<string> | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The Authorization header to send now, if any. */
  get header(): string | undefined {
    return this.#header;
  }

  /**
   * Get a new header after a request with `used` was answered 401. Requests that are refused at the same time share one
   * answer. Throws OciError REGISTRY_UNAUTHORIZED or REGISTRY_PROTOCOL, or TransientFailure.
   */
  async answer(challengeHeader: string, used: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (this.#header !== used) return;
    this.#answering ??= this.#authorize(challengeHeader, signal).finally(() => {
      this.#answering = undefined;
    });
    this.#header = await this.#answering;
  }

  /** What to tell the user when all was tried. */
  get hint(): string {
    const { registry } = this.#options;
    if (this.#known?.credentials !== undefined)
      return `; the credentials configured for ${registry.host} do not allow it`;
    return `; no credentials are configured for ${registry.host}, and anonymous access does not reach this repository`;
  }

  async #authorize(challengeHeader: string, signal: AbortSignal | undefined): Promise<string> {
    const { registry } = this.#options;
    const credentials = await this.#credentials(signal);
    const challenges = parseChallenges(challengeHeader);
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer !== undefined) return `Bearer ${await this.#fetchToken(bearer.parameters, signal)}`;
    if (!challenges.some(({ scheme }) => scheme === 'basic')) {
      throw new OciError(
        'REGISTRY_UNAUTHORIZED',
        `registry ${registry.host} answered 401 without a challenge that berth can answer`,
      );
    }
    if (credentials === undefined) {
      throw new OciError('REGISTRY_UNAUTHORIZED', `registry answered 401 Unauthorized${this.hint}`);
    }
    return credentials.basic;
  }

  async #credentials(signal: AbortSignal | undefined): Promise<Credentials | undefined> {
    this.#known ??= { credentials: await this.#options.credentials(signal) };
    return this.#known.credentials;
  }

  async #fetchToken(parameters: ReadonlyMap<string, string>, signal: AbortSignal | undefined): Promise<string> {
    const { connections, registry, realmHosts } = this.#options;
    const realm = acceptRealm(parameters.get('realm') ?? '', registry, realmHosts);
    if (typeof realm === 'string') {
      const shown = JSON.stringify((parameters.get('realm') ?? '').slice(0, 200));
      throw new OciError(
        'REGISTRY_PROTOCOL',
        `registry ${registry.host} sends its clients to token service ${shown}, which is not asked: ${realm}`,
      );
    }
    const request = this.#tokenRequest(realm, parameters, signal);
    const answer = await connections.send(request);
    if (answer.statusCode !== 200) {
      throw await failureOf(answer, { method: request.method, url: realm, who: 'token service', hint: this.hint });
    }
    return parseToken(await readBody(answer, realm, MAX_TOKEN_BYTES), realm);
  }

  #tokenRequest(realm: URL, parameters: ReadonlyMap<string, string>, signal: AbortSignal | undefined): HttpRequest {
    const { scope } = this.#options;
    const credentials = this.#known?.credentials;
    const service = parameters.get('service');
    const asked = { ...(service === undefined ? {} : { service }), scope: parameters.get('scope') ?? scope };
    if (credentials?.identityToken !== undefined) {
      const form = {
        grant_type: 'refresh_token',
        client_id: 'berth',
        refresh_token: credentials.identityToken,
        ...asked,
      };
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return { method: 'POST', url: realm, headers, body: new URLSearchParams(form).toString(), signal };
    }
    const url = new URL(realm);
    for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
    return {
      method: 'GET',
      url,
      headers: credentials === undefined ? {} : { authorization: credentials.basic },
      signal,
    };
  }
}

function parseToken(body: Uint8Array, realm: URL): string {
  try {
    const { token, access_token } = decodeToken(parseJson(body), '');
    const found = token ?? access_token;
    if (found !== undefined) return found;
    throw new DecodeError('token', 'is missing');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    // Without the cause: it may quote a token.
    throw new OciError('REGISTRY_PROTOCOL', `token service ${realm.host} answered without a usable token`);
  }
}
