// Pulls from one repository of one registry: OCI distribution specification, "Pull".
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';

import { OciError } from '../../error.ts';
import { digestOf, isDigest, parseDigest, verifyDigest } from '../digest.ts';
import type { FetchedManifest, ImageSource, OpenBlob } from '../image-source.ts';
import { MAX_MANIFEST_BYTES, type Descriptor } from '../manifest.ts';
import { ACCEPT_MANIFEST } from '../media-type.ts';
import type { Reference } from '../reference.ts';

import { Authorizer } from './authorizer.ts';
import type { CredentialSource } from './credentials.ts';
import { failureOf } from './failure.ts';
import { connectionFailure, HttpConnections, readBody, type HttpOptions } from './http.ts';
import { registryOrigin } from './origin.ts';
import { sendFollowing, type Answer } from './redirect.ts';
import { DEFAULT_RETRY, withRetries, type RetryPolicy } from './retry.ts';

export type RegistryOptions = HttpOptions & {
  readonly credentials?: CredentialSource;
  /** Registries (`host` or `host:port`) to speak to over plain http. Loopback ones always are. */
  readonly insecureRegistries?: readonly string[];
  /** Hosts of token services that may be sent credentials although they are on another site than the registry. */
  readonly realmHosts?: readonly string[];
  readonly retry?: RetryPolicy;
};

type Request = { readonly method: 'GET' | 'HEAD'; readonly url: URL; readonly headers: OutgoingHttpHeaders };

/** Speaks to one repository. Disposing closes its connections. */
export class RegistryClient implements ImageSource, Disposable {
  readonly retry: RetryPolicy;
  readonly #connections: HttpConnections;
  readonly #origin: URL;
  readonly #repository: string;
  readonly #authorizer: Authorizer;

  constructor(repository: Pick<Reference, 'registry' | 'repository'>, options: RegistryOptions = {}) {
    this.retry = options.retry ?? DEFAULT_RETRY;
    this.#connections = new HttpConnections(options);
    this.#origin = registryOrigin(repository, options.insecureRegistries);
    this.#repository = repository.repository;
    this.#authorizer = new Authorizer({
      connections: this.#connections,
      registry: this.#origin,
      scope: `repository:${repository.repository}:pull`,
      credentials: (signal) => options.credentials?.(repository, signal),
      realmHosts: options.realmHosts ?? [],
    });
  }

  /**
   * The digest that a tag (or digest) has now, by HEAD: cheap, and free of Docker Hub's pull limit. `undefined` when the
   * registry does not tell. Throws OciError REGISTRY_*.
   */
  async manifestDigest(target: string, signal?: AbortSignal): Promise<string | undefined> {
    const answer = await withRetries(this.retry, signal, () =>
      this.#exchange(this.#manifestRequest('HEAD', target), signal),
    );
    answer.message.resume();
    return contentDigest(answer.message);
  }

  /** Fetch the manifest or index of a tag or digest; its digest is checked when one was asked for. Throws OciError. */
  async manifest(target: string, signal?: AbortSignal): Promise<FetchedManifest> {
    return withRetries(this.retry, signal, async () => {
      const { message, url } = await this.#exchange(this.#manifestRequest('GET', target), signal);
      const bytes = await readBody(message, url, MAX_MANIFEST_BYTES);
      const expected = isDigest(target) ? target : contentDigest(message);
      if (expected !== undefined) verifyDigest(bytes, expected, `the manifest that ${url.host} sent for ${target}`);
      return { bytes, digest: expected ?? digestOf(bytes), contentType: message.headers['content-type'] };
    });
  }

  /** Fetch a whole small blob and verify it. Throws OciError. */
  async blob({ digest, size }: Pick<Descriptor, 'digest' | 'size'>, signal?: AbortSignal): Promise<Buffer> {
    return withRetries(this.retry, signal, async () => {
      const { message, url } = await this.#openBlob({ digest, size }, 0, signal);
      const bytes = await readBody(message, url, size);
      if (bytes.length !== size)
        throw new OciError('SIZE_MISMATCH', `blob ${digest} has ${bytes.length} bytes, expected ${size}`);
      verifyDigest(bytes, digest, `the blob that ${url.host} sent`);
      return bytes;
    });
  }

  /**
   * Start to read a blob at `offset`; from its start when the registry does not do ranges. Not retried: throws
   * TransientFailure, or OciError when trying again cannot help (SIZE_MISMATCH when the announced length is wrong).
   */
  async openBlob(blob: Pick<Descriptor, 'digest' | 'size'>, offset: number, signal?: AbortSignal): Promise<OpenBlob> {
    const { message, start, url } = await this.#openBlob(blob, offset, signal);
    return { body: message as AsyncIterable<Buffer>, offset: start, failure: (cause) => connectionFailure(url, cause) };
  }

  [Symbol.dispose](): void {
    this.#connections[Symbol.dispose]();
  }

  async #openBlob(
    { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer & { readonly start: number }> {
    parseDigest(digest);
    const headers = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const { message, url } = await this.#exchange({ method: 'GET', url: this.#url('blobs', digest), headers }, signal);
    try {
      const { start, end } = bodyRange(message, size);
      if (start !== 0 && start !== offset) {
        throw new OciError(
          'REGISTRY_PROTOCOL',
          `${url.host} sent blob ${digest} from byte ${start}, asked was ${offset}`,
        );
      }
      checkLength(message, end - start, digest);
      return { message, url, start };
    } catch (error) {
      message.destroy();
      throw error;
    }
  }

  #manifestRequest(method: 'GET' | 'HEAD', target: string): Request {
    return { method, url: this.#url('manifests', target), headers: { accept: ACCEPT_MANIFEST } };
  }

  #url(kind: 'manifests' | 'blobs', target: string): URL {
    return new URL(`/v2/${this.#repository}/${kind}/${target}`, this.#origin);
  }

  // Two tries at most: as we are, and with what the challenge asks for.
  async #exchange(request: Request, signal: AbortSignal | undefined): Promise<Answer> {
    const used = this.#authorizer.header;
    let answer = await sendFollowing(this.#connections, { ...request, authorization: used, signal });
    if (answer.message.statusCode === 401 && answer.url.origin === this.#origin.origin) {
      answer.message.resume();
      await this.#authorizer.answer(answer.message.headers['www-authenticate'] ?? '', used, signal);
      answer = await sendFollowing(this.#connections, { ...request, authorization: this.#authorizer.header, signal });
    }
    const status = answer.message.statusCode ?? 0;
    if (status === 200 || (status === 206 && request.headers['range'] !== undefined)) return answer;
    const hint = status === 401 || status === 403 ? { hint: this.#authorizer.hint } : {};
    const who = answer.url.origin === this.#origin.origin ? 'registry' : "registry's storage";
    throw await failureOf(answer.message, { method: request.method, url: answer.url, who, ...hint });
  }
}

function contentDigest(message: IncomingMessage): string | undefined {
  const header = message.headers['docker-content-digest'];
  return typeof header === 'string' && isDigest(header) ? header : undefined;
}

/** Which bytes the body holds, by Content-Range, or all of them. */
function bodyRange(message: IncomingMessage, size: number): { start: number; end: number } {
  if (message.statusCode !== 206) return { start: 0, end: size };
  const header = message.headers['content-range'] ?? '';
  const match = /^bytes ([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15}|\*)$/.exec(header);
  const [start, last, total] = [Number(match?.[1]), Number(match?.[2]), match?.[3]];
  if (total === undefined || last >= size || start > last || (total !== '*' && Number(total) !== size)) {
    throw new OciError('REGISTRY_PROTOCOL', `registry sent Content-Range "${header}" for a blob of ${size} bytes`);
  }
  return { start, end: last + 1 };
}

function checkLength(message: IncomingMessage, expected: number, digest: string): void {
  const header = message.headers['content-length'];
  if (header === undefined || Number(header) === expected) return;
  throw new OciError(
    'SIZE_MISMATCH',
    `blob ${digest} should have ${expected} bytes to send, the registry announces ${header}`,
  );
}
