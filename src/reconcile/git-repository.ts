// The bare repository on disk that a Git source fetches into, and reads from when there is no network.
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { runGit, type GitOptions, type GitResult } from './git-program.ts';
import { gitAddress, mustSucceed, remoteOptions, type RemoteRevision } from './git-remote.ts';
import { parseBatch } from './git-tree.ts';
import type { GitConfig } from './parse-source.ts';
import { SourceError } from './source.ts';

/** The newest commit that was fetched and that can be read. */
const CURRENT = 'refs/berth/current';
/** The commit that is being looked at. */
const CANDIDATE = 'refs/berth/candidate';

const LOCAL_TIMEOUT_MS = 300_000;
const MIB = 1024 * 1024;
/** Of one fetch, unless the source says otherwise. A bundle brings its images with it. */
const MAX_FETCH_MIB = 512;
const MAX_BUNDLE_MIB = 8192;

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

  /**
   * Fetch `target` of the remote, without tags and submodules. With `history` down to what is here already, or else its
   * newest commit alone. Returns the object that it names: a commit or an annotated tag.
   */
  async fetch({ target, commit }: RemoteRevision, history: boolean, signal: AbortSignal): Promise<string> {
    await this.#prepare(commit, signal);
    const config = this.#config;
    // A bundle has the history that it has.
    const depth = history || config.protocol === 'bundle' ? [] : ['--depth=1'];
    const options = ['--quiet', ...depth, '--no-tags', '--no-write-fetch-head', '--update-shallow'];
    const args = ['fetch', ...options, '--', gitAddress(config), `+${target}:${CANDIDATE}`];
    const maxMiB = config.settings.maxFetchMiB ?? (config.protocol === 'bundle' ? MAX_BUNDLE_MIB : MAX_FETCH_MIB);
    const limits = { timeoutMs: this.#fetchTimeoutMs, maxFileBytes: maxMiB * MIB };
    const result = await runGit(args, { ...(await remoteOptions(config)), ...limits, gitDir: this.#gitDir, signal });
    if (result.exitCode !== 0 && /died of signal 25|File too large/.test(result.complaint)) {
      await this.#removeUnfinished();
      throw new SourceError(
        'SOURCE_INVALID',
        `${config.url} is too large: ${target} has more than ${maxMiB} MiB to fetch; maxFetchMiB=N allows more`,
      );
    }
    mustSucceed(result, 'SOURCE_UNREACHABLE', `Cannot fetch ${target} from ${config.url}`);
    return this.#resolve(CANDIDATE, signal);
  }

  /** The commit that an object is or tags. */
  commitOf(object: string, signal: AbortSignal): Promise<string> {
    return this.#resolve(`${object}^{commit}`, signal);
  }

  /** The text of a commit or an annotated tag (gitformat-commit), and which of them it is. */
  async readObject(object: string, signal: AbortSignal): Promise<{ readonly type: string; readonly content: Buffer }> {
    const type = await this.#local(['cat-file', '-t', object], signal);
    mustSucceed(type, 'SOURCE_IO', `Cannot read ${object}`);
    const name = type.output.toString('latin1').trim();
    const result = await this.#local(['cat-file', name, object], signal);
    mustSucceed(result, 'SOURCE_IO', `Cannot read ${object}`);
    return { type: name, content: result.output };
  }

  /** Whether `commit` is `ancestor` or comes after it. An ancestor that is not here is none. */
  async descends(commit: string, ancestor: string, signal: AbortSignal): Promise<boolean> {
    const result = await this.#local(['merge-base', '--is-ancestor', ancestor, commit], signal);
    if (result.exitCode === 0) return true;
    if (result.exitCode === 1) return false;
    const known = await this.#local(['cat-file', '-e', `${ancestor}^{commit}`], signal);
    if (known.exitCode === 0) mustSucceed(result, 'SOURCE_IO', `Cannot compare ${commit} with ${ancestor}`);
    return false;
  }

  /** The object of the last `keep`; undefined when there is none. */
  async current(signal: AbortSignal): Promise<string | undefined> {
    const entries = await readdir(this.#gitDir).catch(() => []);
    if (entries.length === 0) return undefined;
    const result = await this.#local(['rev-parse', '--verify', '--quiet', CURRENT], signal);
    return result.exitCode === 0 ? result.output.toString('latin1').trim() : undefined;
  }

  /** Remember `object` as the one to begin with next time. */
  async keep(object: string, signal: AbortSignal): Promise<void> {
    mustSucceed(await this.#local(['update-ref', CURRENT, object], signal), 'SOURCE_IO', `Cannot keep ${object}`);
    await this.#local(['update-ref', '-d', CANDIDATE], signal);
    await this.#collect(signal);
  }

  /** `commit`, which is current, is in force: the history before it is no longer needed. */
  async cutHistory(commit: string, signal: AbortSignal): Promise<void> {
    const current = await this.#local(['rev-parse', '--verify', '--quiet', `${CURRENT}^{commit}`], signal);
    if (current.output.toString('latin1').trim() !== commit) return;
    // gitrepository-layout(5): commits in this file are treated as if they had no parents.
    const path = join(this.#gitDir, 'shallow');
    const text = `${commit}\n`;
    if ((await readFile(path, 'utf8').catch(() => '')) === text) return;
    await writeFile(`${path}.new`, text, { flush: true });
    await rename(`${path}.new`, path);
    await this.#collect(signal);
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

  async #collect(signal: AbortSignal): Promise<void> {
    // When this fails nothing is lost but space.
    await this.#local(['gc', '--auto', '--quiet', '--prune=now'], signal);
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
    await this.#removeUnfinished();
  }

  async #removeUnfinished(): Promise<void> {
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
}
