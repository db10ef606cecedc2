// Writes to one repository of one registry: OCI distribution specification, "Push".
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';

import { OciError } from '../../error.ts';
import type { Descriptor } from '../manifest.ts';

import { Authorizer } from './authorizer.ts';
import type { RegistryOptions } from './client.ts';
import { failureOf } from './failure.ts';
import { HttpConnections, type HttpRequest } from './http.ts';
import { registryOrigin } from './origin.ts';
import type { Repository } from './credentials.ts';
import { redirectTarget } from './redirect.ts';
import { DEFAULT_RETRY, withRetries, type RetryPolicy } from './retry.ts';

type Request = Pick<HttpRequest, 'method' | 'url' | 'body'> & { readonly headers?: OutgoingHttpHeaders };

/** A blob to send: `open` is called again for every try. */
export type UploadBlob = Pick<Descriptor, 'digest' | 'size'> & { readonly open: () => AsyncIterable<Buffer> };

/** How a blob came to be in the repository. */
export type UploadOutcome = 'present' | 'mounted' | 'sent';

/** Speaks to one repository. Disposing closes its connections. */
export class RegistryUpload implements Disposable {
  readonly #retry: RetryPolicy;
  readonly #connections: HttpConnections;
  readonly #origin: URL;
  readonly #repository: string;
  readonly #authorizer: Authorizer;

  constructor(repository: Repository, options: RegistryOptions = {}) {
    this.#retry = options.retry ?? DEFAULT_RETRY;
    this.#connections = new HttpConnections(options);
    this.#origin = registryOrigin(repository, options.insecureRegistries);
    this.#repository = repository.repository;
    this.#authorizer = new Authorizer({
      connections: this.#connections,
      registry: this.#origin,
      scope: `repository:${repository.repository}:pull,push`,
      credentials: (signal) => options.credentials?.(repository, signal),
      realmHosts: options.realmHosts ?? [],
    });
  }

  /**
   * Make a blob part of the repository: not sent when it is there, or when the registry has it in repository `from` and
   * lets it be mounted; else sent in one piece. Throws OciError REGISTRY_*.
   */
  async blob(blob: UploadBlob, from: string | undefined, signal?: AbortSignal): Promise<UploadOutcome> {
    return withRetries(this.#retry, signal, async () => {
      if (await this.#has(blob.digest, signal)) return 'present';
      const url = this.#url('blobs/uploads/');
      if (from !== undefined) {
        url.searchParams.set('mount', blob.digest);
        url.searchParams.set('from', from);
      }
      const begun = await this.#exchange({ method: 'POST', url }, [201, 202], signal);
      begun.resume();
      if (begun.statusCode === 201) return 'mounted';
      await this.#send(blob, redirectTarget(url, begun.headers.location), signal);
      return 'sent';
    });
  }

  /** Store a manifest under a tag or its digest; its blobs have to be there. Throws OciError REGISTRY_*. */
  async manifest(target: string, manifest: { bytes: Buffer; mediaType: string }, signal?: AbortSignal): Promise<void> {
    const headers = { 'content-type': manifest.mediaType, 'content-length': manifest.bytes.length };
    const request: Request = { method: 'PUT', url: this.#url(`manifests/${target}`), headers, body: manifest.bytes };
    const answer = await withRetries(this.#retry, signal, () => this.#exchange(request, [201], signal));
    answer.resume();
  }

  [Symbol.dispose](): void {
    this.#connections[Symbol.dispose]();
  }

  async #has(digest: string, signal: AbortSignal | undefined): Promise<boolean> {
    const url = this.#url(`blobs/${digest}`);
    // A storage that is redirected to has it: that is why the registry sends its clients there.
    const answer = await this.#exchange({ method: 'HEAD', url }, [200, 302, 303, 307, 308, 404], signal);
    answer.resume();
    return answer.statusCode !== 404;
  }

  async #send({ digest, size, open }: UploadBlob, url: URL, signal: AbortSignal | undefined): Promise<void> {
    url.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream', 'content-length': size };
    const answer = await this.#exchange({ method: 'PUT', url, headers, body: open() }, [201], signal);
    answer.resume();
    const stored = answer.headers['docker-content-digest'];
    if (stored === undefined || stored === digest) return;
    throw new OciError('DIGEST_MISMATCH', `${url.host} stored blob ${digest} as ${String(stored)}`);
  }

  #url(path: string): URL {
    return new URL(`/v2/${this.#repository}/${path}`, this.#origin);
  }

  // A refused body cannot be sent again, but an upload begins with a POST without one, which gets the authorization.
  async #exchange(
    request: Request,
    expected: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<IncomingMessage> {
    const used = this.#authorizer.header;
    let answer = await this.#request(request, signal);
    const again = typeof request.body !== 'object' || Buffer.isBuffer(request.body);
    if (answer.statusCode === 401 && again && request.url.origin === this.#origin.origin) {
      answer.resume();
      await this.#authorizer.answer(answer.headers['www-authenticate'] ?? '', used, signal);
      answer = await this.#request(request, signal);
    }
    const status = answer.statusCode ?? 0;
    if (expected.includes(status)) return answer;
    const hint = status === 401 || status === 403 ? { hint: this.#authorizer.hint } : {};
    throw await failureOf(answer, { method: request.method, url: request.url, who: 'registry', ...hint });
  }

  #request(request: Request, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    const own = request.url.origin === this.#origin.origin ? this.#authorizer.header : undefined;
    const authorization = own === undefined ? {} : { authorization: own };
    return this.#connections.send({ ...request, headers: { ...request.headers, ...authorization }, signal });
  }
}
