// Registry credentials, as `docker login` and `podman login` leave them: containers-auth.json(5).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { isErrno } from '../../../linux/errno.ts';
import { OciError } from '../../error.ts';
import { DecodeError, fields, map, optional, parseJson, text } from '../json-decode.ts';
import type { Reference } from '../reference.ts';

/** A user and password, or an OAuth2 refresh token. Prints as `[redacted]` wherever it is logged. */
export class Credentials {
  readonly #username: string;
  readonly #password: string;
  readonly #identityToken: string | undefined;

  constructor({ username, password, identityToken }: { username: string; password: string; identityToken?: string }) {
    this.#username = username;
    this.#password = password;
    this.#identityToken = identityToken;
  }

  /** The value of an Authorization header, RFC 7617. */
  get basic(): string {
    return `Basic ${Buffer.from(`${this.#username}:${this.#password}`).toString('base64')}`;
  }

  get identityToken(): string | undefined {
    return this.#identityToken;
  }

  toJSON(): string {
    return '[redacted]';
  }

  toString(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}

export type Repository = Pick<Reference, 'registry' | 'repository'>;

/** Finds the credentials for a repository, if there are any. Asked only when a registry wants some. */
export type CredentialSource = (
  repository: Repository,
  signal?: AbortSignal,
) => Credentials | undefined | Promise<Credentials | undefined>;

const decodeFile = fields({
  credsStore: optional(text()),
  credHelpers: optional(map(text())),
  auths: optional(
    map(
      fields({
        auth: optional(text()),
        username: optional(text()),
        password: optional(text()),
        identitytoken: optional(text()),
      }),
    ),
  ),
});
type AuthEntry = NonNullable<ReturnType<typeof decodeFile>['auths']>[string];
type AuthFile = {
  readonly auths: ReadonlyMap<string, AuthEntry>;
  /** Helper programs by registry or `registry/path`. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The helper program for every registry that has none of its own. */
  readonly store: string | undefined;
};

/** The files that hold credentials, most wanted first, for a process with this environment. */
export function credentialFiles(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const { REGISTRY_AUTH_FILE, DOCKER_CONFIG, XDG_RUNTIME_DIR, HOME } = environment;
  if (REGISTRY_AUTH_FILE !== undefined) return [REGISTRY_AUTH_FILE];
  return [
    ...(XDG_RUNTIME_DIR === undefined ? [] : [join(XDG_RUNTIME_DIR, 'containers/auth.json')]),
    ...(DOCKER_CONFIG === undefined ? [] : [join(DOCKER_CONFIG, 'config.json')]),
    ...(HOME === undefined || DOCKER_CONFIG !== undefined ? [] : [join(HOME, '.docker/config.json')]),
  ];
}

/**
 * Look credentials up in these files, read anew at each look-up (a login takes effect at once); the first file that knows
 * the repository wins, and a missing file knows none. In a file, a helper program (`credHelpers`, else `credsStore`) is
 * asked before `auths`. The source throws OciError CREDENTIALS_INVALID, and the signal's reason.
 */
export function credentialsFrom(
  files: readonly string[],
): (repository: Repository, signal?: AbortSignal) => Promise<Credentials | undefined> {
  return async (repository, signal) => {
    for (const file of files) {
      const found = await findCredentials(readAuthFile(file), repository, { file, signal });
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

function readAuthFile(file: string): AuthFile {
  try {
    const { auths, credHelpers, credsStore } = decodeFile(parseJson(readFileSync(file)), '');
    return { auths: byKey(auths), helpers: byKey(credHelpers), store: credsStore === '' ? undefined : credsStore };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return { auths: new Map(), helpers: new Map(), store: undefined };
    // The cause may quote the file: a parser's message shows the text around a mistake. Name the place only.
    const place = error instanceof DecodeError ? error.path || 'not JSON' : isErrno(error) ? error.code : 'unreadable';
    throw new OciError('CREDENTIALS_INVALID', `Cannot read registry credentials from ${file}: ${place}`);
  }
}

function byKey<T>(entries: Readonly<Record<string, T>> | undefined): ReadonlyMap<string, T> {
  return new Map(Object.entries(entries ?? {}).map(([key, entry]) => [normaliseKey(key), entry]));
}

// Docker's keys may be URLs (`https://index.docker.io/v1/`), Podman's may have a path (`quay.io/team`).
function normaliseKey(key: string): string {
  const url = /^https?:\/\/([^/]+)/.exec(key);
  const plain = url?.[1] ?? key.replace(/\/+$/, '');
  return plain === 'index.docker.io' || plain === 'registry-1.docker.io' ? 'docker.io' : plain;
}

type Lookup = { readonly file: string; readonly signal: AbortSignal | undefined };

async function findCredentials(
  { auths, helpers, store }: AuthFile,
  repository: Repository,
  { file, signal }: Lookup,
): Promise<Credentials | undefined> {
  const keys = keysOf(repository);
  const helper = keys.map((key) => helpers.get(key)).find((name) => name !== undefined && name !== '') ?? store;
  const told = helper === undefined ? undefined : await askNamed(helper, repository.registry, { file, signal });
  if (told !== undefined) return told;
  for (const key of keys) {
    const entry = auths.get(key);
    const credentials = entry === undefined ? undefined : fromEntry(entry, key, file);
    if (credentials !== undefined) return credentials;
  }
  return undefined;
}

/** `ghcr.io/team/app`, `ghcr.io/team`, `ghcr.io`: the most specific first. */
function keysOf({ registry, repository }: Repository): readonly string[] {
  const parts = [registry, ...repository.split('/')];
  return parts.map((_, at) => parts.slice(0, parts.length - at).join('/'));
}

async function askNamed(name: string, registry: string, { file, signal }: Lookup): Promise<Credentials | undefined> {
  const { askHelper, isHelperName } = await import('./docker-credential.ts');
  if (isHelperName(name)) return askHelper(name, registry, { signal });
  throw new OciError(
    'CREDENTIALS_INVALID',
    `${file}: ${JSON.stringify(name.slice(0, 100))} is no credential helper's name`,
  );
}

function fromEntry(
  { auth, username, password, identitytoken }: AuthEntry,
  key: string,
  file: string,
): Credentials | undefined {
  const token = identitytoken === undefined || identitytoken === '' ? {} : { identityToken: identitytoken };
  if (auth === undefined || auth === '') {
    if (username === undefined || password === undefined) return undefined;
    return new Credentials({ username, password, ...token });
  }
  const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  if (colon === -1)
    throw new OciError('CREDENTIALS_INVALID', `${file}: "auth" of ${key} is not base64 of user:password`);
  return new Credentials({ username: decoded.slice(0, colon), password: decoded.slice(colon + 1), ...token });
}
