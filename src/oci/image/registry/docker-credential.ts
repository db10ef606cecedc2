// Programs that keep registry credentials (`credsStore`, `credHelpers` of Docker's config.json): docker-credential-helpers,
// "Development". `docker-credential-<name> get` reads the registry from its input and prints JSON.
import { execFile } from 'node:child_process';

import { OciError } from '../../error.ts';
import { DecodeError, fields, parseJson, text } from '../json-decode.ts';

import { Credentials } from './credentials.ts';

const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 64 * 1024;
const DOCKER_HUB = 'https://index.docker.io/v1/';
// What the helpers' own library prints for a registry without a login.
const NOT_FOUND = 'credentials not found in native keychain';
// The user name that marks a secret as an OAuth2 refresh token.
const TOKEN_USER = '<token>';

const decodeAnswer = fields({ Username: text(), Secret: text() });

/** Whether `name` is safe to complete to a program's name: nothing that leads out of PATH. */
export function isHelperName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/.test(name);
}

export type HelperOptions = { readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined };

/**
 * Ask `docker-credential-<name>` (of PATH) for the login at `registry`, or undefined when it has none. Throws OciError
 * CREDENTIALS_INVALID, which quotes nothing that the program printed, and the signal's reason.
 */
export async function askHelper(
  name: string,
  registry: string,
  { timeoutMs = TIMEOUT_MS, signal }: HelperOptions = {},
): Promise<Credentials | undefined> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const options = { timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES, killSignal: 'SIGKILL', signal } as const;
  const child = execFile(`docker-credential-${name}`, ['get'], options, (error, stdout) => {
    resolve({ error, stdout });
  });
  // A program that ends without reading its input is judged by how it ended.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(`${registry === 'docker.io' ? DOCKER_HUB : registry}\n`);
  const outcome = await promise;
  signal?.throwIfAborted();
  const told = readOutcome(outcome, timeoutMs);
  if (typeof told !== 'string') return told;
  throw new OciError('CREDENTIALS_INVALID', `docker-credential-${name} cannot tell the login at ${registry}: ${told}`);
}

type Outcome = {
  readonly error: (Error & { code?: string | number | null; killed?: boolean }) | null;
  readonly stdout: string;
};

/** The credentials, undefined for none, or (a phrase) why there is no answer. Pure. */
function readOutcome({ error, stdout }: Outcome, timeoutMs: number): Credentials | undefined | string {
  if (error === null) return parseAnswer(stdout);
  if (stdout.trim() === NOT_FOUND) return undefined;
  if (error.code === 'ENOENT') return 'there is no such program in PATH';
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `it printed more than ${MAX_OUTPUT_BYTES} bytes`;
  if (error.killed === true) return `it did not end within ${timeoutMs / 1000} s`;
  return typeof error.code === 'number'
    ? `it ended with exit code ${error.code}`
    : `it failed (${error.code ?? 'killed'})`;
}

function parseAnswer(stdout: string): Credentials | undefined | string {
  try {
    const { Username: username, Secret: secret } = decodeAnswer(parseJson(Buffer.from(stdout)), '');
    if (username === '' && secret === '') return undefined;
    if (username !== TOKEN_USER) return new Credentials({ username, password: secret });
    return new Credentials({ username, password: '', identityToken: secret });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return 'it printed no JSON with "Username" and "Secret"';
  }
}
