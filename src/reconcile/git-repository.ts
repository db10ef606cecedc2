// The bare repository on disk that a Git source fetches into, and reads from when there is no network.
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { runGit, type GitOptions, type GitResult } from './git-program.ts';
import { parseBatch } from './git-tree.ts';
import type { GitConfig } from './parse-source.ts';
import { SourceError, type SourceErrorCode } from './source.ts';

/** The newest commit that was fetched and that can be read. */
const CURRENT = 'refs/berth/current';
/** The commit that is being looked at. */
const CANDIDATE = 'refs/berth/candidate';

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;
const ASK_TIMEOUT_MS = 60_000;
const LOCAL_TIMEOUT_MS = 300_000;

export type GitRepositoryOptions = {
  readonly config: GitConfig;
  /** The directory of the bare repository. It is made when something is fetched. */
  readonly gitDir: string;
  /** For one fetch. */
  readonly fetchTimeoutMs: number;
};

/** All methods reject with SourceError; the caller sees to it that one process at a time works on the repository. */
export class GitRepository {
  readonly #config: GitConfig;
  readonly #gitDir: string;
  readonly #fetchTimeoutMs: number;

  constructor({ config, gitDir, fetchTimeoutMs }: GitRepositoryOptions) {
    this.#config = config;
    this.#gitDir = gitDir;
    this.#fetchTimeoutMs = fetchTimeoutMs;
  }

  /** The commit that the ref of the source names over there. One small request. */
  async remoteCommit(signal: AbortSignal): Promise<string> {
    const { url, ref } = this.#config;
    const args = ['ls-remote', '--exit-code', '--', url, ref];
    const result = await runGit(args, { ...this.#remote(), gitDir: undefined, timeoutMs: ASK_TIMEOUT_MS, signal });
    if (result.exitCode === 2) throw new SourceError('SOURCE_MISSING', `${url} has no ${ref}`);
    mustSucceed(result, 'SOURCE_UNREACHABLE', `Cannot ask ${url} for ${ref}`);
    const lines = result.output.toString('latin1').split('\n');
    const [commit = ''] = lines.find((line) => line.endsWith(`\t${ref}`))?.split('\t') ?? [];
    if (COMMIT.test(commit)) return commit;
    throw new SourceError('SOURCE_INVALID', `${url} does not answer as a Git repository does`);
  }

  /** Fetch the ref without history, tags and submodules; `expected` is what it named just now. Returns its commit. */
  async fetch(expected: string, signal: AbortSignal): Promise<string> {
    await this.#prepare(expected, signal);
    const { url, ref } = this.#config;
    const options = ['--quiet', '--depth=1', '--no-tags', '--no-write-fetch-head', '--update-shallow'];
    const args = ['fetch', ...options, '--', url, `+${ref}:${CANDIDATE}`];
    const result = await runGit(args, { ...this.#remote(), timeoutMs: this.#fetchTimeoutMs, signal });
    mustSucceed(result, 'SOURCE_UNREACHABLE', `Cannot fetch ${ref} from ${url}`);
    return this.#resolve(`${CANDIDATE}^{commit}`, signal);
  }

  /** The commit of the last `keep`; undefined when there is none. */
  async current(signal: AbortSignal): Promise<string | undefined> {
    const entries = await readdir(this.#gitDir).catch(() => []);
    if (entries.length === 0) return undefined;
    const result = await this.#local(['rev-parse', '--verify', '--quiet', `${CURRENT}^{commit}`], signal);
    return result.exitCode === 0 ? result.output.toString('latin1').trim() : undefined;
  }

  /** Remember `commit` as the one to begin with next time, and let go of what is no longer needed. */
  async keep(commit: string, signal: AbortSignal): Promise<void> {
    mustSucceed(await this.#local(['update-ref', CURRENT, commit], signal), 'SOURCE_IO', `Cannot keep ${commit}`);
    await this.#local(['update-ref', '-d', CANDIDATE], signal);
    // When this fails nothing is lost but space.
    await this.#local(['gc', '--auto', '--quiet', '--prune=now'], signal);
  }

  /** The output of git-ls-tree(1), `-r -z -l`, for the directory `path` of a commit. */
  async list(commit: string, path: string, signal: AbortSignal): Promise<Buffer> {
    const found = await this.#local(['rev-parse', '--verify', '--quiet', `${commit}:${path}`], signal);
    if (found.exitCode !== 0) throw new SourceError('SOURCE_MISSING', `Commit ${commit} has no directory '${path}'`);
    const tree = found.output.toString('latin1').trim();
    const listing = await this.#local(['ls-tree', '-r', '-z', '-l', '--full-tree', tree], signal);
    const isFile = /not a tree object/.test(listing.complaint);
    if (isFile) throw new SourceError('SOURCE_MISSING', `'${path}' is a file in commit ${commit}, not a directory`);
    mustSucceed(listing, 'SOURCE_IO', `Cannot list ${commit}`);
    return listing.output;
  }

  /** The content of blobs, in memory. */
  async readBlobs(objects: readonly string[], signal: AbortSignal): Promise<Buffer[]> {
    if (objects.length === 0) return [];
    const batch = await this.#local(['cat-file', '--batch'], signal, { input: `${objects.join('\n')}\n` });
    mustSucceed(batch, 'SOURCE_IO', 'Cannot read the manifests');
    return parseBatch(batch.output, objects);
  }

  /** Write a blob to the file `path`, which is whole when it is there. */
  async writeBlob(object: string, path: string, signal: AbortSignal): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const unfinished = `${path}.new`;
    await using file = await open(unfinished, 'w', 0o600);
    const result = await this.#local(['cat-file', 'blob', object], signal, { outputFd: file.fd });
    mustSucceed(result, 'SOURCE_IO', `Cannot write ${path}`);
    await file.sync();
    await rename(unfinished, path);
  }

  /** Remove everything: what is there is damaged. */
  async discard(): Promise<void> {
    await rm(this.#gitDir, { recursive: true, force: true });
  }

  /** A repository that can be fetched into, whatever a power cut left of the last fetch. */
  async #prepare(expected: string, signal: AbortSignal): Promise<void> {
    await mkdir(this.#gitDir, { recursive: true, mode: 0o700 });
    const entries = await readdir(this.#gitDir);
    if (!entries.includes('HEAD')) {
      const format = expected.length === 64 ? 'sha256' : 'sha1';
      const args = ['init', '--bare', '--quiet', '--template=', `--object-format=${format}`];
      mustSucceed(await this.#local(args, signal), 'SOURCE_IO', `Cannot make ${this.#gitDir}`);
      return;
    }
    // Nobody else works here: a lock or half a pack is what a git left that was cut short.
    const places = [this.#gitDir, join(this.#gitDir, 'refs/berth'), join(this.#gitDir, 'objects/pack')];
    for (const place of places) {
      const names = await readdir(place).catch(() => []);
      const stale = names.filter((name) => name.endsWith('.lock') || name.startsWith('tmp_'));
      await Promise.all(stale.map((name) => rm(join(place, name), { force: true })));
    }
  }

  async #resolve(revision: string, signal: AbortSignal): Promise<string> {
    const result = await this.#local(['rev-parse', '--verify', '--quiet', revision], signal);
    mustSucceed(result, 'SOURCE_IO', `Cannot find ${revision}`);
    return result.output.toString('latin1').trim();
  }

  #local(args: readonly string[], signal: AbortSignal, extra: Partial<GitOptions> = {}): Promise<GitResult> {
    const options = { gitDir: this.#gitDir, protocol: undefined, timeoutMs: LOCAL_TIMEOUT_MS, signal };
    return runGit(args, { ...options, ...extra });
  }

  #remote(): Pick<GitOptions, 'gitDir' | 'protocol' | 'header'> {
    const { protocol, credentials, url } = this.#config;
    const common = { gitDir: this.#gitDir, protocol };
    if (credentials === undefined) return common;
    const token = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
    return { ...common, header: { url: new URL('/', url).href, value: `Authorization: Basic ${token}` } };
  }
}

function mustSucceed({ exitCode, complaint }: GitResult, code: SourceErrorCode, what: string): void {
  if (exitCode === 0) return;
  const why = complaint.replace(/^(fatal|error): /gm, '').replace(/\s*\n\s*/g, '; ');
  throw new SourceError(code, `${what}: ${why === '' ? `git ended with ${exitCode}` : why}`);
}
