// The credentials of a Git source, in a file of their own: `USER:PASSWORD`, or a token alone.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import { SourceError } from './source.ts';

export type Credentials = { readonly user: string; readonly password: string };

const MAX_BYTES = 8192;

/**
 * Read the first line of `path`. A token is sent as the password of `git`, which GitHub, GitLab and Gitea take. Rejects
 * with SourceError SOURCE_IO for a file that cannot be read, that everybody may read, or that holds no credentials.
 */
export async function readCredentials(path: string): Promise<Credentials> {
  return parseCredentials(path, await readSecret(path));
}

/** The first line of a small file that not everybody may read, without blanks at its ends. Rejects with SourceError. */
export async function readSecret(path: string): Promise<string> {
  const refuse = (why: string, cause?: unknown) =>
    new SourceError('SOURCE_IO', `Cannot take the secret in ${path}: ${why}`, { cause });
  try {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { mode, size } = await file.stat();
    if ((mode & 0o007) !== 0) throw refuse(`everybody may read it; chmod 600 ${path}`);
    if (size > MAX_BYTES) throw refuse(`it has ${size} bytes, at most ${MAX_BYTES}`);
    const [line = ''] = (await file.readFile('utf8')).split('\n');
    if (line.trim() === '') throw refuse('its first line is empty');
    return line.trim();
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw refuse(error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read', error);
  }
}

/** Pure. Throws SourceError, which does not repeat the text. */
export function parseCredentials(path: string, line: string): Credentials {
  const at = line.indexOf(':');
  const credentials = { user: at === -1 ? 'git' : line.slice(0, at), password: line.slice(at + 1) };
  // oxlint-disable-next-line no-control-regex
  if (credentials.password !== '' && !/[\u0000-\u001f\u007f]/.test(line)) return credentials;
  throw new SourceError(
    'SOURCE_IO',
    `${path} holds no credentials: write USER:PASSWORD or a token into its first line`,
  );
}
