// A directory of a Git repository as a source: asked at intervals, fetched when it has changed, never checked out.
import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { lock } from '../linux/flock.ts';
import { writeImages } from './git-images.ts';
import { GitRepository } from './git-repository.ts';
import { parseTree } from './git-tree.ts';
import { decodeManifest } from './manifest-path.ts';
import { gitSourceName, type GitConfig } from './parse-source.ts';
import { pause } from './pause.ts';
import { SourceError, type Source, type SourceUpdate } from './source.ts';

export type GitSourceOptions = {
  readonly config: GitConfig;
  /** The durable root: what is fetched is kept in `sources/` below it. */
  readonly root: string;
  /** Between two questions, on average. */
  readonly intervalMs?: number;
  readonly fetchTimeoutMs?: number;
  /** From 0 to 1: spreads the questions of a fleet over time. */
  readonly random?: () => number;
};

const INTERVAL_MS = 60_000;
const FETCH_TIMEOUT_MS = 1_800_000;
/** Of the interval, to both sides. */
const JITTER = 0.2;

type Failed = Extract<SourceUpdate, { kind: 'failed' }>;

export class GitSource implements Source {
  readonly name: string;
  readonly #config: GitConfig;
  readonly #repository: GitRepository;
  readonly #directory: string;
  readonly #intervalMs: number;
  readonly #random: () => number;
  /** A commit that was fetched and cannot be used: it is not fetched again. */
  #bad: { readonly commit: string; readonly failed: Failed } | undefined;

  constructor({ config, root, ...options }: GitSourceOptions) {
    this.name = gitSourceName(config);
    this.#config = config;
    this.#directory = join(root, 'sources', createHash('sha256').update(this.name).digest('hex').slice(0, 16));
    this.#intervalMs = options.intervalMs ?? INTERVAL_MS;
    this.#random = options.random ?? Math.random;
    this.#repository = new GitRepository({
      config,
      gitDir: join(this.#directory, 'repository.git'),
      fetchTimeoutMs: options.fetchTimeoutMs ?? FETCH_TIMEOUT_MS,
    });
  }

  /** The newest commit, fetched if need be. */
  async read(signal: AbortSignal): Promise<SourceUpdate> {
    return this.#poll(undefined, signal);
  }

  /** The commit that was fetched last, at once and without any network; then whatever the repository says. */
  async *revisions(signal: AbortSignal): AsyncGenerator<SourceUpdate> {
    const kept = await this.#lastFetched(signal);
    if (kept !== undefined) yield kept;
    let revision = kept?.revision;
    let failure: string | undefined;
    while (!signal.aborted) {
      const update = await this.#poll(revision, signal);
      if (signal.aborted) return;
      const isOldFailure = update.kind === 'failed' && update.message === failure;
      failure = update.kind === 'failed' ? update.message : undefined;
      if (update.kind === 'revision') revision = update.revision;
      if (!isOldFailure) yield update;
      await pause(this.#intervalMs * (1 - JITTER + 2 * JITTER * this.#random()), signal);
    }
  }

  async #lastFetched(signal: AbortSignal): Promise<Extract<SourceUpdate, { kind: 'revision' }> | undefined> {
    try {
      using _held = await this.#lock(signal);
      const commit = await this.#repository.current(signal);
      return commit === undefined ? undefined : await this.#read(commit, signal);
    } catch {
      // Damaged by a power cut, say: it is fetched again, and until then the desired record has the manifests.
      if (!signal.aborted) await this.#repository.discard();
      return undefined;
    }
  }

  async #poll(known: string | undefined, signal: AbortSignal): Promise<SourceUpdate> {
    try {
      const commit = await this.#repository.remoteCommit(signal);
      if (commit === known) return { kind: 'unchanged', revision: commit };
      if (commit === this.#bad?.commit) return this.#bad.failed;
      return await this.#fetch(commit, signal);
    } catch (error) {
      return toFailed(error);
    }
  }

  async #fetch(expected: string, signal: AbortSignal): Promise<SourceUpdate> {
    using _held = await this.#lock(signal);
    const commit = await this.#repository.fetch(expected, signal);
    try {
      const update = await this.#read(commit, signal);
      await this.#repository.keep(commit, signal);
      return update;
    } catch (error) {
      const failed = toFailed(error);
      if (failed.code === 'SOURCE_INVALID' || failed.code === 'SOURCE_MISSING') this.#bad = { commit, failed };
      else if (!signal.aborted) await this.#repository.discard();
      return failed;
    }
  }

  async #read(commit: string, signal: AbortSignal): Promise<Extract<SourceUpdate, { kind: 'revision' }>> {
    const tree = parseTree(await this.#repository.list(commit, this.#config.path, signal));
    const objects = tree.manifests.map(({ object }) => object);
    const blobs = await this.#repository.readBlobs(objects, signal);
    const files = tree.manifests.map(({ path }, index) => ({
      path,
      text: decodeManifest(path, blobs[index] ?? NOTHING),
    }));
    const images = await writeImages(tree, {
      directory: join(this.#directory, 'images'),
      writeBlob: (object, path) => this.#repository.writeBlob(object, path, signal),
    });
    return { kind: 'revision', revision: commit, files, images };
  }

  /** Several agents, or an agent and a command, may share the root. */
  #lock(signal: AbortSignal): Promise<Disposable> {
    return lock(join(this.#directory, 'lock'), 'exclusive', signal);
  }
}

const NOTHING = new Uint8Array();

function toFailed(error: unknown): Failed {
  if (error instanceof SourceError) return { kind: 'failed', code: error.code, message: error.message };
  return { kind: 'failed', code: 'SOURCE_IO', message: error instanceof Error ? error.message : String(error) };
}
