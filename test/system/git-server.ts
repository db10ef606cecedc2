// Git repositories to read from: a working repository that a test writes to, a bare one that is served.
import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import type { ExecutionContext } from 'ava';

import type { Content } from '../contract/source.ts';

/** Why tests with the git program cannot run here; undefined when they can. */
export function gitMissing(): string | undefined {
  return spawnSync('git', ['--version']).status === 0 ? undefined : 'the git program is not installed';
}

export type GitPlace = {
  /** A directory of its own for the test. */
  readonly directory: string;
  /** The bare repository that is served. */
  readonly bare: string;
  readonly git: (...args: readonly string[]) => string;
  /** Commit a change of files on `branch` and push it; `force` rewrites the commit before it. */
  readonly write: (content: Content, options?: { readonly branch?: string; readonly force?: boolean }) => Promise<void>;
};

/** A repository with one empty commit on `main`. */
export async function newGitPlace(t: ExecutionContext): Promise<GitPlace> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-git-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const work = join(directory, 'work');
  const bare = join(directory, 'served', 'app.git');
  const env = { PATH: process.env['PATH'] ?? '', HOME: directory, GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };
  const git = (...args: readonly string[]): string => {
    const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.test', '-c', 'protocol.file.allow=always'];
    const result = spawnSync('git', [...identity, ...args], { cwd: work, env, encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
    return result.stdout.trim();
  };
  await mkdir(work, { recursive: true });
  git('init', '--quiet', '--initial-branch=main');
  git('commit', '--quiet', '--allow-empty', '--message=Begin');
  git('clone', '--quiet', '--bare', work, bare);
  git('remote', 'add', 'served', bare);
  return {
    directory,
    bare,
    git,
    write: async (content, { branch = 'main', force = false } = {}) => {
      for (const [path, value] of Object.entries(content)) await put(join(work, path), value);
      git('add', '--all', '--force');
      git('commit', '--quiet', '--allow-empty', '--message=Change', ...(force ? ['--amend'] : []));
      git('push', '--quiet', '--force', 'served', `HEAD:refs/heads/${branch}`);
    },
  };
}

async function put(path: string, value: Content[string]): Promise<void> {
  await rm(path, { recursive: true, force: true });
  if (value === undefined) return;
  await mkdir(dirname(path), { recursive: true });
  if (typeof value === 'object' && 'link' in value) await symlink(value.link, path);
  else await writeFile(path, value);
}

export type HttpOptions = {
  /** `user:password` that is asked for. */
  readonly credentials?: string;
  /** Sees every request line. */
  readonly onRequest?: (line: string) => void;
  /** Never answer. */
  readonly hang?: boolean;
};

/** Serve the repositories below `root` by git's own http-backend on loopback. Returns the base URL. */
export async function serveGit(t: ExecutionContext, root: string, options: HttpOptions = {}): Promise<string> {
  const server = createServer((request, response) => {
    options.onRequest?.(`${request.method} ${request.url}`);
    if (options.hang === true) return;
    const wanted = options.credentials;
    const given = request.headers.authorization;
    if (wanted !== undefined && given !== `Basic ${Buffer.from(wanted).toString('base64')}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
      return;
    }
    void backend(request, response, root);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** CGI (RFC 3875) around git-http-backend(1). */
async function backend(request: IncomingMessage, response: ServerResponse, root: string): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise((resolve) => {
    child.on('close', resolve);
  });
  await pipeline(request, child.stdin).catch(() => {});
  await closed;
  const output = Buffer.concat(chunks);
  const end = output.indexOf('\r\n\r\n');
  const headers = output.toString('latin1', 0, end).split('\r\n');
  const pairs = headers.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
  const { Status: status = '200', ...rest } = Object.fromEntries(pairs) as Record<string, string>;
  response.writeHead(Number(status.split(' ')[0]), rest).end(output.subarray(end + 4));
}
